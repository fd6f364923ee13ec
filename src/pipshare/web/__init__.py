"""The web surfaces' shared part: base template, access, reading, menu, tables, errors.

What comes in: a request. What goes out: a page that works from 390 to 1280 px, in light and dark,
without inline script or style. Guarantee: a view opens only to those it names; a page is read in
one transaction that cannot write.
"""

from pipshare.web import rooms
from pipshare.web.access import anyone, declare, room, signed_in
from pipshare.web.reading import reading, trying, writing
from pipshare.web.tables import Cell, Column, Pager, Stat, Table

__all__ = [
    "Cell",
    "Column",
    "Pager",
    "Stat",
    "Table",
    "anyone",
    "declare",
    "reading",
    "room",
    "rooms",
    "signed_in",
    "trying",
    "writing",
]
