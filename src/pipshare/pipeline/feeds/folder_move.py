"""Moves a file that was taken to done/ or refused/, with its report beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DONE, REFUSED = "done", "refused"
_PLACES = {"file_refused": (REFUSED,), "rows_refused": (DONE,), "file_unreadable": ("",),
           "file_stays": ("",)}  # fmt: skip


def free(place: Path, name: str) -> Path:
    """Return where a file of this name can lie in a folder: made longer by the time if it must."""
    target = place / name
    number = 0
    while target.exists():
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}" + (f".{number}" if number else "")
        parts = Path(name)
        target = place / f"{parts.stem}.{stamp}{parts.suffix}"
        number += 1
    return target


def put_away(file: Path, target: Path, told: dict[str, Any], lines: Sequence[str]) -> None:
    """Write the report and move the file. The report comes first: no file lies there without.

    Raises OSError.
    """
    target.parent.mkdir(exist_ok=True)
    _write(target.with_name(f"{target.name}.report.txt"), "\n".join(lines) + "\n")
    text = json.dumps(told, indent=2, ensure_ascii=False)
    _write(target.with_name(f"{target.name}.report.json"), text + "\n")
    file.rename(target)


def still_there(folder: Path, code: str, name: str) -> bool:
    """Whether the file that an alert is about still lies where it was; True for other alerts."""
    places = _PLACES.get(code)
    if places is None:
        return True
    return any((folder / place / name).exists() for place in places)


def _write(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    made = path.with_name(f".{path.name}.{os.getpid()}")
    made.write_text(text, encoding="utf-8", errors="surrogateescape")
    made.rename(path)
