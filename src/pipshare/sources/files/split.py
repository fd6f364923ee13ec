"""One delimited line to its cells, whatever stands in it: never an exception."""

from __future__ import annotations

import csv
import io


def split_line(text: str, delimiter: str, quote: str = '"') -> list[str]:
    """Return the cells of a line (quoted cells may hold line ends).

    A line that Python's csv reader chokes on (a lone carriage return, a cell of more than 128 kB)
    is cut at every delimiter.
    """
    line = text.rstrip("\r\n")
    try:
        return next(csv.reader(io.StringIO(line, ""), delimiter=delimiter, quotechar=quote), [""])
    except csv.Error:
        return line.split(delimiter)
