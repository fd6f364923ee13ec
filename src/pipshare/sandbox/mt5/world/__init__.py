"""The world of the sandbox MT5 server: accounts, prices, positions and deals from a seed.

What comes in: a seed, a size, a folder and a clock. What goes out: every record as ready JSON, all
values strings as the real server sends them. Guarantees: the same seed and clock write the same
bytes; over a restart tickets and time go on without a gap or a repeat; money is whole cents.
"""

from pipshare.sandbox.mt5.world.refused import Refused
from pipshare.sandbox.mt5.world.size import SERVER, Size
from pipshare.sandbox.mt5.world.world import World

__all__ = ["SERVER", "Refused", "Size", "World"]
