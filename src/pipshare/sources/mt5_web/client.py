"""Reading an MT5 server through its Web API: deals by windows, accounts, groups, symbols, clock.

Every call may raise Unavailable (and kin: Garbled, Stuck, ClockWrong), which pass by themselves, or
BadInput (and kin: WrongPassword, WrongCertificate, NotGenuine, NotAllowed, Refused), which need
somebody to act.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import polars as pl

from pipshare.errors import Unavailable
from pipshare.sources.mt5_web import access, balance, clock, parse, retcodes, tables
from pipshare.sources.mt5_web.access import Access
from pipshare.sources.mt5_web.answer import Answer, value
from pipshare.sources.mt5_web.config import Config
from pipshare.sources.mt5_web.errors import ClockWrong, Garbled, Overrun, Stuck
from pipshare.sources.mt5_web.fetch import Fetch
from pipshare.sources.mt5_web.outage import CONNECT, Outage
from pipshare.sources.mt5_web.sessions import Sessions
from pipshare.sources.mt5_web.values import DealsAnswer, Known, ServerTime, TimeSettings

PAGE = 100  # deals that get_page gives at most
QUERY_CHARS = 3_500  # of logins or tickets in one address: servers and proxies limit its length
BATCH = "/api/deal/get_batch"


class Mt5Web:
    """One MT5 server, read through several sessions. For one thread; its own threads only fetch.

    `log` gets one line when an outage begins and one when it ends. While a failed server is left
    alone (1 s, doubling to 2 min, with jitter) every call raises the error of the last attempt at
    once: wait `wait_s()` seconds before calling again.
    """

    def __init__(
        self, config: Config, *, log: Callable[[str], None] = print,
        clock: Callable[[], float] = time.time, sleep: Callable[[float], object] = time.sleep,
    ) -> None:  # fmt: skip
        """clock: UTC seconds. sleep: for short pauses the server asks for (stop.wait serves)."""
        self.config = config
        self._clock = clock
        self._outage = Outage(f"{config.host}:{config.port}", log, clock)
        self._sessions = Sessions(config, self._outage, sleep)
        self._fetch = Fetch(config.answer_limit, config.connections)
        self._offset_ms: int | None = None  # of the server's clock, once it was read

    def open(self) -> None:
        """Connect and sign in, so that a wrong setting shows now."""
        with self._trying(CONNECT):
            self._sessions.open()

    def close(self) -> None:
        """Sign out and close; may be called twice."""
        self._fetch.close()
        self._sessions.close()

    def wait_s(self) -> float:
        """Seconds until another attempt makes sense; 0 while the server answers."""
        return self._outage.wait_s()

    def ping_if_due(self) -> None:
        """Keep idle sessions alive (every 20 s); call it whenever there is nothing else to do."""
        self._sessions.ping_if_due()

    def server_time(self) -> ServerTime:
        """Read the server's clock. Raises ClockWrong when it fits no time zone."""
        with self._trying("/api/time/server") as path:
            sent = self._clock()
            answer = self._sessions.ask(path)
            middle_ms = round((sent + self._clock()) * 500)
            told = clock.server_time(value(answer), middle_ms, answer.where)
        self._offset_ms = told.offset_ms
        return told

    def time_settings(self) -> TimeSettings:
        """Read the server's time zone setting."""
        with self._trying("/api/time/get") as path:
            answer = self._sessions.ask(path)
            return clock.time_settings(value(answer), answer.where)

    def deals(self, groups: str, from_s: int, to_s: int, symbol: str | None = None,
              known: Known | None = None) -> Iterator[DealsAnswer]:  # fmt: skip
        """All deals of the groups in server seconds [from_s, to_s], window after window in order.

        Each answer is whole for its own from_s..to_s: a caller may commit it and move its cursor.
        """
        params = {"group": groups, **({"symbol": symbol} if symbol else {})}
        return self._deals(params, from_s, to_s, known)

    def deals_of(self, logins: Sequence[int], from_s: int, to_s: int,
                 known: Known | None = None) -> Iterator[DealsAnswer]:  # fmt: skip
        """The same for some logins, chunk by chunk: a window may come more than once."""
        for some in _chunks(logins):
            yield from self._deals({"login": some}, from_s, to_s, known, few=True)

    def deals_by_ticket(self, tickets: Sequence[int]) -> Iterator[DealsAnswer]:
        """Some deals by ticket, whatever their time; those that do not exist are not there."""
        for some in _chunks(tickets):
            with self._trying(BATCH) as path:
                answer = self._sessions.ask(path, ticket=some)
                told = parse.deals(answer, 0, 0)
            yield told

    def deal(self, ticket: int) -> pl.DataFrame | None:
        """One deal (DEAL, one row); None when the server says there is none (retcode 13).

        Raises Garbled when the server has it, but with a value that cannot be read.
        """
        with self._trying("/api/deal/get") as path:
            answer = self._sessions.ask(path, ticket=ticket)
            if answer.code == retcodes.NOT_FOUND:
                return None
            told = parse.deals(answer, 0, 0)
            if told.seen.tolist() != [ticket] or told.refused:
                why = told.refused[0].reason if told.refused else "it is another deal, or none"
                raise Garbled(f"{answer.where} was asked for deal {ticket}: {why}")
            return told.deals

    def deal_total(self, login: int, from_s: int, to_s: int) -> int:
        """How many deals of a login the server has in [from_s, to_s]."""
        return self._total("/api/deal/get_total", login, from_s, to_s)

    def deal_page(self, login: int, from_s: int, to_s: int, offset: int,
                  total: int = PAGE) -> DealsAnswer:  # fmt: skip
        """One page of a login's deals (the server allows 100)."""
        asked = {"login": login, "from": from_s, "to": to_s, "offset": offset, "total": total}
        with self._trying("/api/deal/get_page") as path:
            return parse.deals(self._sessions.ask(path, **asked), from_s, to_s)

    def deal_pages(self, login: int, from_s: int, to_s: int) -> Iterator[DealsAnswer]:
        """All pages of a login. Raises Stuck on a repeated page, or an empty one before the end."""
        total, offset = self.deal_total(login, from_s, to_s), 0
        seen: set[int] = set()
        while offset < total:
            page = self.deal_page(login, from_s, to_s, offset)
            numbers = set(page.seen.tolist())
            if not numbers or numbers <= seen:
                what = "an empty page" if not numbers else "the same page again"
                raise Stuck(
                    f"{self.config.host}:{self.config.port} has {total} deals of login {login} and "
                    f"gave {what} from number {offset} on"
                )
            seen |= numbers
            offset += page.count
            yield page

    def users(self, groups: str) -> pl.DataFrame:
        """Accounts of the groups (USERS)."""
        with self._trying("/api/user/get_batch") as path:
            try:
                return tables.users(value(self._sessions.ask(path, group=groups)))
            except Overrun:
                pass
            listed = self.logins(groups)
            told = [value(self._sessions.ask(path, login=some)) for some in _chunks(listed)]
            return tables.users([one for some in told for one in tables.objects(some)])

    def user(self, login: int) -> pl.DataFrame | None:
        """One account (USERS, one row); None when there is none that this manager may see."""
        with self._trying("/api/user/get") as path:
            answer = self._sessions.ask(path, login=login)
            told = tables.users(value(answer))
            return None if answer.code == retcodes.NOT_FOUND or not len(told) else told

    def logins(self, groups: str) -> list[int]:
        """Logins of the groups, ascending."""
        with self._trying("/api/user/logins") as path:
            return tables.logins(value(self._sessions.ask(path, group=groups)))

    def groups(self) -> pl.DataFrame:
        """Groups that this manager may see (GROUPS)."""
        total = self._total("/api/group/total")
        found: dict[str, Any] = {}
        with self._trying("/api/group/next") as path:
            for index in range(total):
                answer = self._sessions.ask(path, index=index)
                told = [one for one in tables.objects(value(answer)) if one.get("Group")]
                if not told or told[0]["Group"] in found:
                    what = "none" if not told else f"{told[0]['Group']} again"
                    raise Stuck(f"{answer.where} has {total} groups; as number {index} it gave "
                                f"{what}")  # fmt: skip
                found[told[0]["Group"]] = told[0]
        return tables.groups(list(found.values()))

    def symbols(self) -> pl.DataFrame:
        """Symbols that this manager may see (SYMBOLS)."""
        with self._trying("/api/symbol/get") as path:
            return tables.symbols(value(self._sessions.ask(path, mask="*")))

    def access(self) -> Access:
        """Try one harmless command of each kind and say which rights are there."""
        self.open()
        with self._trying("access"):
            return access.tried(self._sessions, self.config)

    def balance(self, login: int, type_: int, amount: Decimal, comment: str,
                check_margin: bool = True) -> int:  # fmt: skip
        """Credit or debit an account; return the deal's ticket. Never tried twice.

        type_: 2 balance, 3 credit, 4 charge, 5 correction, 6 bonus. Raises BadInput when it cannot
        be sent as it is, Ambiguous when the answer was lost, Refused (or NotAllowed) when the
        server said no, with its retcode.
        """
        params = balance.params(login, type_, amount, comment, check_margin)
        return balance.ticket(self._sessions.once(balance.PATH, **params), self.config.login)

    def _total(self, path: str, login: int = 0, from_s: int = 0, to_s: int = 0) -> int:
        params = {"login": login, "from": from_s, "to": to_s} if login else {}
        with self._trying(path):
            answer = self._sessions.ask(path, **params)
            told = value(answer)
            named = told if isinstance(told, dict) else {}
            total = tables.whole(str(named.get("total", named.get("Total", ""))))
            if total is None and answer.code in (retcodes.NO_DATA, retcodes.NOT_FOUND):
                return 0
            if total is None or total < 0:
                raise Garbled(f"{answer.where} gave no total")
            return total

    def _deals(
        self, params: dict[str, str], from_s: int, to_s: int, known: Known | None,
        *, few: bool = False,
    ) -> Iterator[DealsAnswer]:  # fmt: skip
        def ask(start: int, end: int, limit: int) -> Answer:
            return self._sessions.ask(BATCH, limit, **params, **{"from": start, "to": end})

        offset = self._offset_ms
        now_s = None if offset is None else (round(self._clock() * 1000) + offset) // 1000 + 1
        answers = self._fetch.deals(ask, (from_s, to_s), now_s, known, few)
        while True:
            with self._trying(BATCH):
                told = next(answers, None)
            if told is None:
                return
            yield told

    @contextmanager
    def _trying(self, path: str) -> Iterator[str]:
        """Note whether a command worked to the end, its answer read: outages are counted here."""
        try:
            yield path
        except ClockWrong:
            raise
        except Unavailable as error:
            self._outage.failed(path, error)
            raise
        except Overrun:
            most = self.config.answer_limit // 2**20
            raise Garbled(f"{self.config.host}{path} gave more than {most} MiB") from None
        self._outage.works(path)


def _chunks(numbers: Sequence[int]) -> Iterator[str]:
    """Comma lists of numbers, each short enough for an address."""
    some: list[str] = []
    length = 0
    for number in map(str, numbers):
        if some and length + len(number) > QUERY_CHARS:
            yield ",".join(some)
            some, length = [], 0
        some.append(number)
        length += len(number) + 1
    if some:
        yield ",".join(some)
