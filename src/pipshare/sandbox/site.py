"""The broker's site and back office in the demonstration: they call real doors, by HTTP alone.

Site      sends visitors through /c, and posts back to /s2s what they do
Platform  opens accounts on the sandbox MT5 server, and lets their owners trade
"""

from __future__ import annotations

import http.client
import json
import ssl
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from pipshare.errors import Conflict
from pipshare.sandbox.visitors import Visitor

GROUP, CURRENCY = "real\\standard", "USD"  # of the accounts that are opened
_PATIENCE_S = 15.0


class Site:
    """Knows where pipshare is, and the token of its tracker. Raises OSError when nobody answers."""

    def __init__(self, url: str, token: str) -> None:
        self._host, self._token = urlsplit(url).netloc, token

    def click(self, who: Visitor) -> str:
        """Click on his link, like a browser; return the click's id as the landing page gets it."""
        headers = {"User-Agent": who.agent, "Referer": "https://social.example/feed"}
        if who.ahead:
            headers["Sec-Purpose"] = "prefetch"
        told = urlencode({"sub1": who.ad_click, "sub2": who.ad})
        with closing(http.client.HTTPConnection(self._host, timeout=_PATIENCE_S)) as wire:
            wire.request("GET", f"/c/{who.link}?{told}", headers=headers)
            answer = wire.getresponse()
            answer.read()
            landing = urlsplit(answer.getheader("Location") or "")
        told_id = parse_qs(landing.query).get("click_id")
        if answer.status != 302 or not told_id:
            raise Conflict("no_click", f"link {who.link} answered {answer.status}, without a"
                                       " click_id")  # fmt: skip
        return told_id[0]

    def post_back(self, event: str, **fields: str) -> None:
        """Post an event back; a repeat changes nothing. Raises Conflict when it is refused."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(self._host, timeout=_PATIENCE_S)) as wire:
            wire.request("POST", f"/s2s/{event}", json.dumps(fields), headers)
            told = json.loads(wire.getresponse().read())
        if told.get("verdict") not in ("accepted", "duplicate"):
            raise Conflict("refused", f"{event} of {fields.get('client')}: {told.get('detail')}")


class Platform:
    """The sandbox MT5 server's own door (--admin), over TLS with its own certificate."""

    def __init__(self, url: str, certificate: Path) -> None:
        self._host = urlsplit(url).netloc
        self._tls = ssl.create_default_context(cafile=str(certificate))

    def open_account(self) -> int:
        """Open an account with a deposit; return its login."""
        login = int(self._do("open_account"))
        self._do("edit_user", login=login, Group=GROUP)
        return login

    def open_trade(self, login: int) -> bool:
        """Let the owner open a position; False = he cannot."""
        return self._may("open_trade", login)

    def close_trade(self, login: int) -> bool:
        """Let the owner close it; False = it closed by itself, or cannot be closed now."""
        return self._may("close_trade", login)

    def _may(self, what: str, login: int) -> bool:
        try:
            self._do(what, login=login)
        except Conflict:
            return False
        return True

    def _do(self, what: str, **given: Any) -> Any:
        connection = http.client.HTTPSConnection(
            self._host, timeout=_PATIENCE_S, context=self._tls
        )  # fmt: skip
        with closing(connection) as wire:
            wire.request("POST", "/sandbox/world", json.dumps({"do": what, **given}))
            told = json.loads(wire.getresponse().read())
        if "done" not in told:
            raise Conflict("refused", f"{what}: {told.get('error')}")
        return told["done"]
