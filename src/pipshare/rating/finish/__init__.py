"""Period rules: what becomes of a window's sums until they are payable.

What comes in: amounts by payee, component and window, in order. What goes out: what is payable of
them and what is carried. Guarantee: exact integers; nothing is lost, what is not payable is
carried, and sums telescope over any number of windows.
"""

from pipshare.rating.finish.advance import past_advance
from pipshare.rating.finish.carry import Lasting, carried_over, reset, unforgiven
from pipshare.rating.finish.gates import passes
from pipshare.rating.finish.kyc import FORFEITED, FREE, HELD, kyc_states
from pipshare.rating.finish.payout import payable, payable_ms
from pipshare.rating.finish.turns import group_numbers, turns

__all__ = [
    "FORFEITED",
    "FREE",
    "HELD",
    "Lasting",
    "carried_over",
    "group_numbers",
    "kyc_states",
    "passes",
    "past_advance",
    "payable",
    "payable_ms",
    "reset",
    "turns",
    "unforgiven",
]
