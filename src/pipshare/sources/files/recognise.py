"""How delimited, SQL and mapped files are recognised: by the header that their format reads.

The formats are imported when a file is looked at, not before: they use this package themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from typing import Any

from pipshare.sources.files.decode import Opened

Test = Callable[[Opened], bool]
_LINE = re.compile(r"[^\n]*[;,\t|][^\n]*[;,\t|]")


def has_mapping(opened: Opened) -> bool:
    """Tell whether the operator gave a mapping file: then it decides."""
    return opened.mapping is not None


def is_sql_dump(opened: Opened) -> bool:
    """Tell whether the file is SQL text with INSERT statements."""
    return bool(_of("mt5_sql.parse").is_sql(opened.text))


def is_manager(opened: Opened) -> bool:
    """Tell whether one of the first lines is the header of an MT4 Manager export, or nearly."""
    header = _of("mt4_manager.header")
    return header.find_header(opened.text) is not None or header.nearly(opened.text) is not None


def is_journal(opened: Opened) -> bool:
    """Tell whether the first line is the header of a prop firm's journal."""
    return _delimited(opened) and _of("journal.parse").find_shape(opened.text) is not None


def is_mt5_csv(opened: Opened) -> bool:
    """Tell whether the first line names columns that only an MT5 deals export has."""
    return _delimited(opened) and _of("mt5_sql.parse").is_csv(opened.text)


def is_own_csv(opened: Opened) -> bool:
    """Tell whether the first line names pipshare's own fields."""
    return _delimited(opened) and _of("mapped.rows").own_names(opened.text) is not None


RECOGNISED: list[tuple[str, Test]] = [
    ("mt5_sql", is_sql_dump),
    ("mt4_manager", is_manager),
    ("journal", is_journal),
    ("mt5_sql", is_mt5_csv),
    ("mapped", is_own_csv),
]


def _of(module: str) -> Any:
    return import_module(f"pipshare.sources.{module}")


def _delimited(opened: Opened) -> bool:
    text = opened.text.lstrip("\ufeff")
    return "\0" not in text and len(text.split("\n", 1)[0]) < 20_000 and bool(_LINE.match(text))
