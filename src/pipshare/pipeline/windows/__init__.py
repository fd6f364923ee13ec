"""What builds up over many trades or a client's life: noted when touched, settled by difference.

    notes.py    a booking notes the windows that its trades touch (tiers, caps, sums of a period)
    clients.py  what became known of clients: their trades are rated again, their CPA is settled
    work.py     what is due is worked out anew, from all trades and events that it depends on
    blocks.py   their trades, block by block (counts.py says where to cut)
    moments.py  since when clients' trades are enough to qualify
    waiting.py  which trades wait for something
    forfeits.py what was held for too long is forfeited by the passing of days
    settle.py   what a window comes to now, less what is booked of it, is posted

Decision 0012 says why. Everything is settled within the transaction that takes the notes away.
"""

from pipshare.pipeline.windows.clients import take_up_clients
from pipshare.pipeline.windows.forfeits import touch_held
from pipshare.pipeline.windows.notes import note_windows
from pipshare.pipeline.windows.settle import settle_windows

__all__ = ["note_windows", "settle_windows", "take_up_clients", "touch_held"]
