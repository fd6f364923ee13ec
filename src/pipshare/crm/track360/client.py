"""Asks for Track360's lists page by page, with a token that is exchanged anew before it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from pipshare.crm.lists import Listing, read_lists
from pipshare.crm.payload import FORM
from pipshare.crm.polled import JSON, Answer, Ask, Call, Page, taken
from pipshare.crm.track360.config import Config
from pipshare.errors import Unavailable
from pipshare.period import from_ms

_EARLY_MS = 60_000  # before its end a token is exchanged
_SHORTEST_S = 60
_USUAL_S = 3_600


class Track360:
    """A poller; see polled.Poller. The cursor is, of each list, when it was last read."""

    def __init__(self, config: Config, call: Call) -> None:
        self.config, self._call, self.poll_s = config, call, float(config.poll_s)
        self._token, self._until_ms = "", 0

    def fetch(self, cursor: Mapping[str, Any], now_ms: int) -> Iterator[Page]:
        """Yield the lists that are due: what changed, or all, as the API can tell."""
        self._now_ms = now_ms
        lists = [self._of(one, cursor.get(one) or {}) for one in self.config.lists]
        yield from read_lists(lists, self._called, cursor, now_ms)

    def close(self) -> None:
        """Forget the token."""
        self._token, self._until_ms = "", 0

    def _of(self, name: str, state: Mapping[str, Any]) -> Listing:
        config = self.config
        since = {}
        before = state.get("was_ms" if state.get("going") else "whole_ms")
        if config.since_param and before:
            at = from_ms(int(before) - config.overlap_s * 1000)
            since = {config.since_param: f"{at:%Y-%m-%dT%H:%M:%SZ}"}

        def ask(at: int, size: int) -> Ask:
            query = urlencode({"page": at, "per_page": size, **since})
            return Ask(f"{config.url}/api/v1/forex/{name}?{query}")

        whole_s = 0 if config.since_param else config.whole_s
        return Listing(name, ask, ("data", name), config.page, whole_s, by_page=True)

    def _called(self, ask: Ask) -> Answer:
        """Call with the token; one that ended early is exchanged once."""
        answer = self._call(self._signed(ask))
        if answer.status == 401:
            self.close()
            answer = self._call(self._signed(ask))
        return answer

    def _signed(self, ask: Ask) -> Ask:
        if self._now_ms >= self._until_ms:
            self._exchange()
        headers = {"Authorization": f"Bearer {self._token}", "Accept": JSON}
        return Ask(ask.url, headers, ask.method, ask.body)

    def _exchange(self) -> None:
        config = self.config
        url = f"{config.url}{config.token_path}"
        told = {"grant_type": "client_credentials", "client_id": config.client_id,
                "client_secret": config.client_secret}  # fmt: skip
        asked = Ask(url, {"Content-Type": FORM, "Accept": JSON}, "POST", urlencode(told).encode())
        found = taken(self._call(asked), url)
        token = found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token or not token.isascii():
            raise Unavailable("crm_error_text", f"{url} gave no access_token")
        lasts = found.get("expires_in", _USUAL_S)
        lasts_s = max(_SHORTEST_S, lasts) if isinstance(lasts, int) else _USUAL_S
        self._token = token
        self._until_ms = self._now_ms + lasts_s * 1000 - min(_EARLY_MS, lasts_s * 500)
