"""A tracker in a box: takes postbacks in the known trackers' dialects, and webhooks; shows them.

    dialects.py     what each tracker's postback is made of
    signatures.py   Standard Webhooks, verified by its own arithmetic
    faults.py       what can go wrong on request: 500, time-out, drip, garbage, redirect ...
    received.py     what came, newest first, and how often the same came
    server.py       the HTTP server on loopback;  pages.py  what a browser sees of it

It shares no code with what sends: a misunderstanding on one side shows on the other.
"""

from pipshare.sandbox.tracker.dialects import DIALECTS
from pipshare.sandbox.tracker.faults import KINDS
from pipshare.sandbox.tracker.server import TrackerServer

__all__ = ["DIALECTS", "KINDS", "TrackerServer"]
