"""What is said to the outside: facts become messages, in the transaction that made the facts.

    people.py       what every message about a client has in common: his partner, his click
    milestones.py   registered, qualified by deposits, first trade; and what was undone
    traders.py      accounts that were seen trading first: whose first trade that is
    booked.py       trades that were booked, and what their partners earned
    settled.py      what windows (tiers, CPA, months) came to

Nothing is written that nobody wants (outbox.wanted), and nothing of before go-live. Who gets a
message is found later, by the outbox.
"""

from pipshare.pipeline.said.booked import say_booked
from pipshare.pipeline.said.milestones import settle_milestones
from pipshare.pipeline.said.settled import say_settled
from pipshare.pipeline.said.traders import note_at_once, take_up_traders

__all__ = ["note_at_once", "say_booked", "say_settled", "settle_milestones", "take_up_traders"]
