"""The scalar twin: rates by hand, with Fractions, and shows the working of each line.

Takes facts (rating.twin_values) and parsed programmes; gives lines with their steps. It is written
from the rules (plans.terms, docs/decisions/0003) and not from the kernel, with which it shares only
parsed terms and money types; property tests hold the two equal, line by line.

- `rate_one`: one trade, for what does not build up (pipeline/explain);
- `rate_many`: many trades in any order, the slow reference for all that builds up;
- `Client`, `payments`: one client's life, and what is paid for it; `event_trades` lets `rate_many`
  rate that.
"""

from pipshare.rating.twin.day import BrokerDay
from pipshare.rating.twin.deducted import Charge, charges
from pipshare.rating.twin.many import ManyLine, ManyResult, event_trades, rate_many
from pipshare.rating.twin.qualify import Client, Closed, Event, Paid, payments
from pipshare.rating.twin.run import rate_one

__all__ = [
    "BrokerDay",
    "Charge",
    "Client",
    "Closed",
    "Event",
    "ManyLine",
    "ManyResult",
    "Paid",
    "charges",
    "event_trades",
    "payments",
    "rate_many",
    "rate_one",
]
