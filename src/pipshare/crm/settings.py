"""Settings of a connection to a CRM, as texts: each checked, each fault named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from pipshare.errors import BadInput

_SECONDS = re.compile(r"[0-9]{1,7}")


class Given:
    """The settings of one endpoint; each is asked for once, and what is left over is a fault."""

    def __init__(self, kind: str, settings: Mapping[str, Any]) -> None:
        self.kind, self.left = kind, dict(settings)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        found = self.left.pop(name, default)
        if not isinstance(found, str) or (default is None and not found.strip()):
            raise self.bad(name, "is missing" if found in (None, "") else "is no text")
        return found.strip()

    def url(self, name: str = "url") -> str:
        """Return an address without the slash at its end."""
        text = self.text(name)
        try:
            parts = urlsplit(text)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        if parts.scheme not in ("https", "http") or not host:
            raise self.bad(name, f"{text[:80]!r} is no address such as https://crm.example.com/api")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise self.bad(name, "holds more than host, port and path: user and password have their"
                                 " own places")  # fmt: skip
        return text.rstrip("/")

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number between two bounds."""
        found = self.left.pop(name, default)
        text = str(found).strip()
        if isinstance(found, bool) or not _SECONDS.fullmatch(text):
            raise self.bad(name, f"{found!r} is no whole number")
        if not least <= int(text) <= most:
            raise self.bad(name, f"{text} is not from {least} to {most}")
        return int(text)

    def day(self, name: str) -> date:
        """Return a day, written 2026-01-31."""
        text = self.text(name)
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise self.bad(name, f"{text[:40]!r} is no day such as 2026-01-31") from None

    def words(self, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Return a comma list of known words; all of them where none is given."""
        text = self.text(name, ",".join(known))
        told = tuple(word.strip() for word in text.split(",") if word.strip())
        for word in told:
            if word not in known:
                raise self.bad(name, f"{word!r} is none of {', '.join(known)}")
        return told or known

    def done(self) -> None:
        """Raise BadInput for a setting that nobody asked for."""
        for name in self.left:
            raise self.bad(name, f"is no setting of {self.kind}")

    def bad(self, name: str, what: str) -> BadInput:
        """Return the fault of one setting."""
        return BadInput("bad_setting", f"{self.kind}: setting {name} {what}")
