"""Windows: what builds up over trades and events, as a pure function of all of a window's facts.

What comes in: trades and events that are complete for the windows asked for, the book of plans,
what was before. What goes out: what each payee's window of each component comes to, the lines that
sum to it, what waits. Guarantee: the order in which facts arrived does not matter; lines sum to
targets to the last digit; nothing is looked up, there is no clock but the broker's.
"""

# `settle.settle_window` is the whole of it, and not imported here: it calls the kernel, whose guard
# asks `touches` what decides a trade.
from pipshare.rating.windows.calendar import bounds, numbers, spans
from pipshare.rating.windows.reach import Reach, is_of_clients, reach
from pipshare.rating.windows.touches import TOUCHED, deciding, touches

__all__ = [
    "TOUCHED",
    "Reach",
    "bounds",
    "deciding",
    "is_of_clients",
    "numbers",
    "reach",
    "spans",
    "touches",
]
