"""Every example in a real database: the books say what was published, and explain themselves."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from example_explained import unlike
from example_files import CASES, ROOT, Stands, Told, differences, files_of

from pipshare import ledger, partners, statements
from pipshare.money import from_e8, parse_e8
from pipshare.period import FOREVER_MS
from pipshare.pipeline import Run, paying, to_rest
from pipshare.pipeline.closing import close_period
from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan, approve, load
from pipshare.rating.reasons import Reason

SERVER = {"server": "main", "platform": "mt5", "go_live": "2000-01-01T00:00:00Z"}
ORDER = ("entities", "servers", "groups", "symbols", "fx", "quotes", "partners", "clients",
         "accounts", "relations")  # fmt: skip
_LINES = """
SELECT r.ticket::text, to_char(r.day, 'YYYY-MM'), p.code, c.code, r.amount_e8, a.currency, r.reason
  FROM rating_line r
  JOIN plans_component c ON c.id = r.component
  JOIN partners_partner p ON p.id = r.partner
  JOIN ledger_account a ON a.id = r.account
UNION ALL
SELECT '', to_char(w.day, 'YYYY-MM'), p.code, c.code, w.amount_e8, a.currency, w.reason
  FROM rating_window_line w
  JOIN plans_component c ON c.id = w.component
  JOIN partners_partner p ON p.id = w.payee_id AND w.payee_kind = 'partner'
  JOIN ledger_account a ON a.id = w.account
"""


_BALANCES = """
SELECT p.code, a.currency,
       coalesce(sum(l.amount_e8) FILTER (WHERE a.state = 'payable'), 0)::bigint,
       coalesce(sum(l.amount_e8) FILTER (WHERE a.state = 'accrued'), 0)::bigint
  FROM ledger_account a
  JOIN ledger_leg l ON l.account_id = a.id
  JOIN partners_partner p ON p.id = a.payee_id
 WHERE a.payee_kind = 'partner' GROUP BY 1, 2
"""
MONTHS = [f"2026-{month:02d}" for month in range(1, 7)]


class Books:
    """An example in a database."""

    def __init__(self, conn: Any, folder: Path, case: str) -> None:
        self.conn, self.folder, self.case = conn, folder, case
        self.run = Run(conn)
        self.closed: set[str] = set()

    def bring(self) -> None:
        """Load everything, apply the plans, import the trades, settle."""
        tables = json.loads((ROOT / self.case / "tree.json").read_text())
        tables.setdefault("servers", [SERVER])
        files = files_of(self.case)
        for kind in ("symbols", "fx", "quotes"):
            path = getattr(files, kind)
            if path is not None:
                tables[kind] = list(csv.DictReader(path.open(newline="")))
        own = [row for row in tables["partners"] if row.get("own_client")]
        for kind in ORDER:
            rows = tables.get(kind)
            if kind == "partners":  # clients come after
                rows = [{**row, "own_client": ""} for row in rows] if own else rows
            self._load(kind, rows)
        self._load("partners", own)
        for plan in files.plans:
            apply_plan(self.run, plan, by="anna")
        self._load("terms", tables["terms"])
        events = []
        if files.events is not None:
            events = list(csv.DictReader(files.events.open(newline="")))
        for row in tables.get("history", ()):
            assert row["kind"] == "paid"
            self._load("events", [one for one in events if one["at"][:7] <= row["period"]])
            self._pay(row)
        self._load("events", events)
        if files.trades is not None:
            self._write("deals", deals(list(csv.DictReader(files.trades.open(newline="")))))
            report = import_file(self.run, self.folder / "deals.csv", Order("main", "anna"))
            assert not report.refused, report.refused
        to_rest(self.run)

    def _load(self, kind: str, rows: list[dict[str, Any]] | None) -> None:
        if not rows:
            return
        if kind in ("accounts", "groups", "quotes"):
            rows = [{"server": "main", **row} for row in rows]
        path = self._write(kind, rows)
        for report in load(self.run, kind, path, by="anna").reports:
            assert not report.refused, report.refused

    def close_months(self, lines: list[Told]) -> None:
        """Close every month, from the first in which something was earned to the last."""
        told = sorted({line.period for line in lines})
        for month in MONTHS[MONTHS.index(told[0]) : MONTHS.index(told[-1]) + 1] if told else ():
            self._close(month)

    def _pay(self, row: dict[str, str]) -> None:
        """Close a month and pay what it came to, by two people."""
        self._close(row["period"])
        who = partners.partner(self.conn, row["partner"])
        number = paying.propose_payment(
            self.conn, who, parse_e8(row["amount"]), reference="P-1", paid_on=date(2026, 4, 2),
            by="anna",
        )  # fmt: skip
        self.conn.commit()
        approve(self.run, number, by="ben")

    def _close(self, month: str) -> None:
        if month not in self.closed:
            close_period(self.run, "main", month, by="anna", now_ms=FOREVER_MS)
            self.closed.add(month)

    def stands(self) -> dict[tuple[str, str], Stands]:
        """Return what may be paid to each partner, less what he owes, and what is carried."""
        found: dict[tuple[str, str], Stands] = {}
        for partner, currency, payable, accrued in self.conn.execute(_BALANCES):
            whole = from_e8(payable) + from_e8(accrued)
            due = max(from_e8(payable) + min(from_e8(accrued), Decimal(0)), Decimal(0))
            found[partner, currency] = Stands(due, whole - due)
        return found

    def _write(self, kind: str, rows: list[dict[str, Any]]) -> Path:
        names = list(dict.fromkeys(name for row in rows for name in row))
        path = self.folder / f"{kind}.csv"
        with path.open("w", newline="") as file:
            out = csv.DictWriter(file, names, lineterminator="\n")
            out.writeheader()
            out.writerows(rows)
        return path

    def lines(self) -> list[Told]:
        return [
            Told(ticket, period, partner, component, from_e8(amount), currency,
                 Reason(reason).name.lower())
            for ticket, period, partner, component, amount, currency, reason
            in self.conn.execute(_LINES)
        ]  # fmt: skip


def deals(trades: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return an example's trades as the deals that an MT5 server has: one opens, one closes."""
    rows = []
    for trade in trades:
        buy = trade["side"] == "buy"
        same = {"login": trade["login"], "position": f"5{trade['ticket']}",
                "symbol": trade["symbol"], "volume": trade["lots"]}  # fmt: skip
        opening = same | {
            "deal": f"9{trade['ticket']}", "action": "0" if buy else "1", "entry": "0",
            "time": trade["open_time"], "price": trade.get("open_price", "1"),
            "bid": trade.get("open_bid", "0"), "ask": trade.get("open_ask", "0"),
        }  # fmt: skip
        closing = same | {
            "deal": trade["ticket"], "action": "1" if buy else "0", "entry": "1",
            "time": trade["close_time"], "price": trade.get("close_price", "1"),
            "position_price": trade.get("open_price", "1"), "volume_closed": trade["lots"],
            "bid": trade.get("close_bid", "0"), "ask": trade.get("close_ask", "0"),
            "profit": trade.get("profit", "0"), "commission": trade.get("commission", "0"),
        }  # fmt: skip
        rows += [opening, closing]
    return rows


@pytest.mark.parametrize("case", CASES)
def test_the_books_say_what_was_published(case: str, db: Any, tmp_path: Path) -> None:
    with db.app() as conn:
        books = Books(conn, tmp_path, case)
        books.bring()
        lines = books.lines()
        assert differences(case, lines, None) == []
        assert_statements_say_the_same(books, lines)
        assert_whole(books)
        wrong = unlike(books.run, case)
        assert not wrong, "\n".join(wrong)[:6000]
        books.close_months(lines)
        assert differences(case, lines, books.stands()) == []
        assert_whole(books)


def assert_statements_say_the_same(books: Books, lines: list[Told]) -> None:
    """Each partner's statement of each month adds up to his lines of that month."""
    for partner, number in books.conn.execute("SELECT code, id FROM partners_partner").fetchall():
        for month in MONTHS:
            told = statements.build(books.conn, number, partner, month)
            sums = int(told.lines["amount_e8"].sum()) + sum(one.amount_e8 for one in told.windows)
            mine = (line.amount for line in lines
                    if line.partner == partner and line.period == month)  # fmt: skip
            assert from_e8(sums) == sum(mine, Decimal(0))


def assert_whole(books: Books) -> None:
    assert ledger.verify(books.conn)[0] == []
    assert statements.check_lines(books.conn) == []
