"""Static files whose addresses name their content: kept by browsers for a year, never stale."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage


class Versioned(StaticFilesStorage):
    """Adds ?v=DIGEST to the address of a file; there is no step that collects files."""

    def url(self, name: str | None) -> str:
        """Return the address of a static file."""
        address: str = super().url(name)
        found = finders.find(name) if name else None
        return f"{address}?v={_digest(str(found))}" if found else address


@functools.lru_cache
def _digest(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
