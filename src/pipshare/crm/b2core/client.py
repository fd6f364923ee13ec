"""Asks B2CORE for its lists, oldest first, each from where it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from pipshare.crm.b2core.config import Config
from pipshare.crm.lists import Listing, read_lists
from pipshare.crm.polled import JSON, Ask, Call, Page


class B2Core:
    """A poller; see polled.Poller. The cursor is, of each list, how many rows were read."""

    def __init__(self, config: Config, call: Call) -> None:
        self.config, self.call, self.poll_s = config, call, float(config.poll_s)
        self.headers = {"Authorization": f"Bearer {config.token}", "Accept": JSON}

    def fetch(self, cursor: Mapping[str, Any], now_ms: int) -> Iterator[Page]:
        """Yield each list's pages from its end, less the overlap; all of them once in a while."""
        yield from read_lists([self._of(one) for one in self.config.lists], self.call, cursor,
                              now_ms)  # fmt: skip

    def close(self) -> None:
        """Nothing is open."""

    def _of(self, name: str) -> Listing:
        config = self.config

        def ask(at: int, size: int) -> Ask:
            query = urlencode({"limit": size, "offset": at, "sort_by": "createTime",
                               "sort_order": "asc"})  # fmt: skip
            return Ask(f"{config.url}/api/v2/{name}?{query}", self.headers)

        return Listing(name, ask, ("data",), config.page, config.whole_s, is_sorted=True,
                       overlap=config.overlap)  # fmt: skip
