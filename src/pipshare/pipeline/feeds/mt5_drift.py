"""A cheap check of what the re-scan no longer reaches: how many deals an account has, told twice.

Every night a thirtieth of the accounts is counted on both sides; where the counts differ, the
account is read again whole.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from pipshare import db, inbox
from pipshare.pipeline.feeds.mt5_absent import Absent
from pipshare.pipeline.feeds.mt5_state import DAY_S, Progress
from pipshare.pipeline.feeds.mt5_take import Brought, Desk, Tally
from pipshare.sources.mt5_web import Mt5Web
from pipshare.sources.mt5_web.errors import NotAllowed, Refused

PARTS = 30  # nights until every account was counted
_LOGINS = 20  # counted in one step
_READ_AGAIN = 50  # accounts in one night; more would be another history
ALERT = "drift"
_CURRENT = """
  FROM inbox_deal d
 WHERE d.server_id = %(server)s AND d.time_ms BETWEEN %(start)s AND %(end)s AND d.action >= 0
   AND {login}
   AND NOT EXISTS (SELECT FROM inbox_deal n
                    WHERE n.server_id = d.server_id AND n.deal = d.deal
                      AND n.revision > d.revision AND n.revision > 1)
   AND NOT EXISTS (SELECT FROM inbox_unseen u WHERE u.server_id = d.server_id AND u.deal = d.deal)
"""
_COUNTS = "SELECT d.login, count(*) " + _CURRENT.format(login="d.login %% %(parts)s = %(part)s")
_STORED = "SELECT d.deal, d.login, d.time_ms " + _CURRENT.format(login="d.login = %(login)s")


class Drift:
    """Tonight's accounts and what is left of them. One per feed; forgotten by a restart."""

    def __init__(self, desk: Desk, web: Mt5Web, absent: Absent) -> None:
        self._desk, self._web, self._absent = desk, web, absent
        self._left: list[tuple[int, int]] = []
        self._again = 0
        self._span = (0, 0)

    @property
    def open(self) -> bool:
        """Whether accounts are left to be counted."""
        return bool(self._left)

    def begin(self, progress: Progress, now_s: int) -> None:
        """Count tonight's accounts here, up to yesterday."""
        self._span, self._again = (progress.start_s, now_s - DAY_S), 0
        asked = self._asked(parts=PARTS, part=progress.rescan_day % PARTS)
        self._left = self._desk.conn.execute(_COUNTS + " GROUP BY 1 ORDER BY 1", asked).fetchall()
        self._desk.conn.commit()

    def next(self) -> Tally:
        """Compare some accounts with the server's counts; read again those that differ."""
        tally = Tally()
        some, self._left = self._left[:_LOGINS], self._left[_LOGINS:]
        for login, count in some:
            if self._total(login) == count:
                continue
            self._again += 1
            if self._again > _READ_AGAIN:
                self._give_up()
                break
            tally.add(self._read_again(login))
        return tally

    def _total(self, login: int) -> int | None:
        try:
            return self._web.deal_total(login, *self._span)
        except (Refused, NotAllowed):
            return None

    def _read_again(self, login: int) -> Tally:
        tally, seen = Tally(), np.zeros(0, np.int64)
        for answer in self._web.deals_of([login], *self._span):
            seen = np.append(seen, answer.seen)
            tally.add(self._desk.take(Brought.of(answer), self._desk.asked_ms(), None))
        conn = self._desk.conn
        stored = db.read_columns(conn, _STORED, self._asked(login=login), schema=inbox.UNSEEN)
        self._absent.notice(stored.filter(pl.Series(~np.isin(stored["deal"].to_numpy(), seen))))
        conn.commit()
        return tally

    def _give_up(self) -> None:
        self._left = []
        inbox.raise_alert(
            self._desk.conn, ALERT, self._desk.source.code,
            f"more than {_READ_AGAIN} accounts have another number of deals on the server than"
            " here; the rest is compared in the nights to come: ask the administrator of the"
            " server whether history was restored, moved or compacted",
            source_id=self._desk.source.id,
        )  # fmt: skip
        self._desk.conn.commit()

    def _asked(self, **more: int) -> dict[str, int]:
        start_s, end_s = self._span
        return {"server": self._desk.server.id, "start": start_s * 1000,
                "end": end_s * 1000 + 999, **more}  # fmt: skip
