"""Outbox: anything owed to the outside, delivered.

What comes in: messages, written by other stages in the transaction of their fact (`say`), and the
receivers who want them. What goes out: HTTP requests, signed. Guarantees: what is committed is sent
at least once, whatever is killed, and a repeat carries the same id; per receiver and subject (a
client, a trade) in order, numbered; a dead letter releases its successors; every attempt is a row;
no request goes to a private address unless the operator opened it; a slow receiver delays no other.

    say.py          written with the fact       match.py      whom it is for (pure)
    fan_out.py      a delivery per receiver     schedule.py   when to try again (pure)
    dispatch.py     the one dispatcher          egress.py     where it may go (pure)
"""

from pipshare.outbox.dispatch import Dispatcher
from pipshare.outbox.external import External, erase_said, externals
from pipshare.outbox.lease import is_dispatched, lease
from pipshare.outbox.look import Fares, attempts, dead, deliveries, fares
from pipshare.outbox.match import Matcher
from pipshare.outbox.receivers import (
    add,
    change,
    off,
    pause,
    receiver,
    receivers,
    remove,
    resume,
)
from pipshare.outbox.replay import replay
from pipshare.outbox.say import CHANNEL, say
from pipshare.outbox.sealed import rekey, rotate_secret, set_header
from pipshare.outbox.switch_off import switch_off
from pipshare.outbox.trial import send_test
from pipshare.outbox.values import (
    MESSAGES,
    SWITCHED_OFF,
    TEST,
    Attempt,
    Build,
    Delivery,
    Heard,
    Message,
    Read,
    Receiver,
    Request,
)
from pipshare.outbox.wanted import Listeners, Wanted, wanted

__all__ = [
    "CHANNEL",
    "MESSAGES",
    "SWITCHED_OFF",
    "TEST",
    "Attempt",
    "Build",
    "Delivery",
    "Dispatcher",
    "External",
    "Fares",
    "Heard",
    "Listeners",
    "Matcher",
    "Message",
    "Read",
    "Receiver",
    "Request",
    "Wanted",
    "add",
    "attempts",
    "change",
    "dead",
    "deliveries",
    "erase_said",
    "externals",
    "fares",
    "is_dispatched",
    "lease",
    "off",
    "pause",
    "receiver",
    "receivers",
    "rekey",
    "remove",
    "replay",
    "resume",
    "rotate_secret",
    "say",
    "send_test",
    "set_header",
    "switch_off",
    "wanted",
]
