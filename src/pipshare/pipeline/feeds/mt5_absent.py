"""Deals that an MT5 server does not show any more: find them, ask about them, settle them.

Absence is not deletion. A deal counts as deleted when the server says so for that very ticket, its
login is visible, and the login still shows a trade that is older than the deal: where history was
compacted, all that is older is gone, too. Otherwise it is not seen since, and keeps its money.
Many at once are never reversed without a person.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare import inbox
from pipshare.pipeline.feeds.mt5_state import DAY_S
from pipshare.pipeline.feeds.mt5_take import Brought, Desk, Tally
from pipshare.sources.mt5_web import Mt5Web
from pipshare.sources.mt5_web.errors import NotAllowed

MOST = 20  # reversed in one run, and in a day, without a person
FEWEST = 5  # a share of a window says little of so few
ONE_IN = 1_000
ALERT = "deletions_held"
_LOGINS = 10  # asked about in one step
_TRADES = (0, 1, 13, 14)
_WEEK_S = 7 * DAY_S
_GONE = "deleted on the platform: deal/get answers 13 (not found), and its login still shows trades"
_SHOWN = "the platform still has it, outside of what the groups of this source show"
_NO_LOGIN = "its login is not visible any more: archived, or its group is hidden from the manager"
_NO_WITNESS = (
    "its login shows no older trade any more: its history may have been compacted, which is no"
    " deletion"
)

Tickets = npt.NDArray[np.int64]


class Absent:
    """What a source does not show any more. One per feed."""

    def __init__(self, desk: Desk, web: Mt5Web) -> None:
        self._desk, self._web = desk, web
        self._window = 0  # deals compared in the run that found the suspects
        self.open = True  # there may be rows to settle, from before a restart
        self.restored = False  # something was reversed: what is known of records is void

    def begin(self) -> None:
        """Begin a run: its window is counted anew, unless what another one found is unsettled."""
        if not self.open:
            self._window = 0

    def compare(self, seen: Tickets, start_s: int, end_s: int) -> None:
        """Notice what is stored of these server seconds and was not seen, in the open transaction.

        `seen`: every ticket that the server showed of them.
        """
        desk, span = self._desk, (start_s * 1000, end_s * 1000 + 999)
        conn, server_id = desk.conn, desk.server.id
        self._back(seen, *span)
        count = inbox.count_between(conn, server_id, *span)
        self._window += count
        if count == len(np.unique(seen)):
            return  # refused ones make the two differ: then they are compared one by one
        stored = inbox.stored_between(conn, server_id, *span)
        absent = stored.filter(pl.Series(~np.isin(stored["deal"].to_numpy(), seen)))
        if inbox.notice_unseen(conn, server_id, desk.source.id, absent):
            self.open = True

    def notice(self, absent: pl.DataFrame) -> None:
        """Notice deals (an UNSEEN frame) that another comparison missed, in the transaction."""
        desk = self._desk
        if inbox.notice_unseen(desk.conn, desk.server.id, desk.source.id, absent):
            self.open = True

    def _back(self, seen: Tickets, start_ms: int, end_ms: int) -> None:
        rows = inbox.unseen_between(self._desk.conn, self._desk.server.id, start_ms, end_ms)
        inbox.seen_again(self._desk.conn, self._desk.server.id, rows[np.isin(rows, seen)])

    def next(self) -> Tally:
        """Ask about some suspects; when none is left, reverse what is deleted, or hold it."""
        desk = self._desk
        approved = self._unsettled("approved", MOST)
        if len(approved):
            return self._reverse_approved(approved)
        suspects = self._unsettled("suspect", 1_000)
        if not len(suspects):
            return self._finish()
        tally = Tally()
        logins = suspects["login"].unique(maintain_order=True)[:_LOGINS].to_list()
        for login in logins:
            asked_ms = desk.asked_ms()
            some = suspects.filter(pl.col("login") == login)
            verdicts, found = self._examine(login, some)
            tally.add(desk.take(found, asked_ms, None, lambda v=verdicts: self._write(v)))  # type: ignore[misc]
        return tally

    def _unsettled(self, state: str, limit: int) -> pl.DataFrame:
        rows = inbox.unsettled(self._desk.conn, self._desk.source.id, state, limit)
        self._desk.conn.commit()
        return rows

    def _write(self, verdicts: dict[tuple[str, str], list[int]]) -> None:
        conn, server_id = self._desk.conn, self._desk.server.id
        for (state, why), deals in verdicts.items():
            if state == "seen":
                inbox.seen_again(conn, server_id, np.array(deals, np.int64))
            else:
                inbox.settle_unseen(conn, server_id, deals, state, why)

    def _examine(
        self, login: int, suspects: pl.DataFrame
    ) -> tuple[dict[tuple[str, str], list[int]], Brought]:
        """Ask the server about suspects of one login; return verdicts, and those that it has."""
        deals = suspects["deal"].to_list()
        if not self._visible(login):
            return {("unseen", _NO_LOGIN): deals}, Brought()
        verdicts: dict[tuple[str, str], list[int]] = {}
        shown, found = self._asked(deals)
        moved = dict(found.deals.select("deal", "time_ms").iter_rows())
        oldest = self._oldest_trade(login, suspects)
        for deal, _, time_ms in suspects.iter_rows():
            if moved.get(deal, time_ms) != time_ms:
                verdict = ("seen", "at another time")
            elif deal in shown:
                verdict = ("unseen", _SHOWN)
            elif oldest is None or oldest > (time_ms, deal):
                verdict = ("unseen", _NO_WITNESS)
            else:
                verdict = ("gone", _GONE)
            verdicts.setdefault(verdict, []).append(deal)
        return verdicts, found

    def _visible(self, login: int) -> bool:
        try:
            return self._web.user(login) is not None
        except NotAllowed:
            return True  # accounts are not for this manager to see: its other deals must tell

    def _asked(self, deals: list[int]) -> tuple[set[int], Brought]:
        """Ask for each of these tickets; return those that the server has, and their deals."""
        shown: set[int] = set()
        found = Brought()
        for answer in self._web.deals_by_ticket(deals):
            shown.update(answer.seen.tolist())
            found = found.and_(Brought.of(answer))
        # Not to be in a list is absence; only an answer of "not found" to the ticket itself counts.
        missing = [deal for deal in deals if deal not in shown]
        shown.update(deal for deal in missing if self._web.deal(deal) is not None)
        return shown, found

    def _oldest_trade(self, login: int, suspects: pl.DataFrame) -> tuple[int, int] | None:
        """Return time and ticket of the oldest trade deal that the login shows around suspects."""
        times = suspects["time_ms"]
        first_s, last_s = int(times.min()) // 1000, int(times.max()) // 1000  # type: ignore[arg-type]
        for start_s in (max(0, first_s - _WEEK_S), 0):
            oldest = min(self._trades_of(login, start_s, last_s), default=None)
            if oldest is not None and oldest[0] // 1000 < first_s:
                return oldest
        return oldest

    def _trades_of(self, login: int, start_s: int, end_s: int) -> Iterator[tuple[int, int]]:
        for answer in self._web.deals_of([login], start_s, end_s):
            rows = answer.deals.filter(pl.col("action").is_in(_TRADES))
            yield from rows.select("time_ms", "deal").iter_rows()

    def _finish(self) -> Tally:
        """Reverse what the server says is deleted, if it is not too much of it."""
        desk = self._desk
        conn, source = desk.conn, desk.source
        asked_ms = desk.asked_ms()
        gone = inbox.unsettled(conn, source.id, "gone", 1_000_000)["deal"].to_list()
        window, self._window, self.open = self._window, 0, False
        tally = Tally()
        if gone:
            allowed = min(MOST, max(FEWEST, window // ONE_IN))
            today = inbox.reversed_today(conn, source.id)
            stopped = inbox.count_unseen(conn, source.id, "held") > 0
            if stopped or len(gone) > allowed or len(gone) + today > MOST:
                self._hold(gone, window)
            else:
                tally = desk.bury(gone, asked_ms, _GONE)
                self.restored = True
        conn.commit()
        return tally

    def _hold(self, gone: list[int], window: int) -> None:
        desk = self._desk
        inbox.settle_unseen(desk.conn, desk.server.id, gone, "held", _GONE)
        held = inbox.count_unseen(desk.conn, desk.source.id, "held")
        inbox.raise_alert(
            desk.conn, ALERT, desk.source.code,
            f"{held} deals of {desk.source.code} are deleted on the platform, too many to reverse"
            f" without a person (found beside {window} others; the first is deal {min(gone)});"
            " nothing was reversed, and their money is kept. Ask the administrator of the server;"
            f" then `pipshare source approve-deletions {desk.source.code} --by NAME --reason TEXT`"
            " reverses them, with --keep they stay booked",
            source_id=desk.source.id,
        )  # fmt: skip

    def _reverse_approved(self, rows: pl.DataFrame) -> Tally:
        """Reverse what a person approved, after asking once more."""
        desk, deals = self._desk, rows["deal"].to_list()
        asked_ms = desk.asked_ms()
        shown, found = self._asked(deals)
        gone = [deal for deal in deals if deal not in shown]
        kept = {("unseen", _SHOWN): sorted(shown.intersection(deals))}
        tally = desk.take(found, asked_ms, None, lambda: self._write(kept))
        if gone:
            tally.add(desk.bury(gone, desk.asked_ms(), f"{_GONE}; approved by a person"))
            self.restored = True
            desk.conn.commit()
        return tally
