"""Files: a path in, a Reading of whatever format the file's content shows it to be.

What comes in: a path, with a mapping file for formats of one's own and an encoding where the
file does not tell. What goes out: a Reading (sources/reading.py). Guarantee: the file's name plays
no part; a file that is none of the known formats raises BadInput with one sentence that says what
it seems to be and what to do.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from pipshare.sources.files.decode import Opened, open_file
from pipshare.sources.files.detect import detect
from pipshare.sources.files.refuse import refuse
from pipshare.sources.files.repeats import once
from pipshare.sources.reading import Reading

# Format name -> module whose read(opened: Opened) -> Reading takes it. Named, not imported, so
# that a format may use this package and a process loads only the formats it meets.
READERS = {
    "mt4_statement": "pipshare.sources.mt4_statement",
    "mt5_report": "pipshare.sources.mt5_report",
    "mt4_manager": "pipshare.sources.mt4_manager",
    "mt5_sql": "pipshare.sources.mt5_sql",
    "journal": "pipshare.sources.journal",
    "mapped": "pipshare.sources.mapped",
}


def read(path: Path, *, mapping: Path | None = None, encoding: str | None = None) -> Reading:
    """Open a file as what it is, each identity told once (repeats.py).

    Raises BadInput when it is nothing that pipshare reads.
    """
    opened = open_file(Path(path), mapping=mapping, told=encoding)
    name = detect(opened)
    if name is None:
        raise refuse(opened)
    reading: Reading = import_module(READERS[name]).read(opened)
    return once(reading)


__all__ = ["READERS", "Opened", "detect", "open_file", "read"]
