"""Every example in a real database: loaded, imported, settled; the books say what was published."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from example_files import CASES, ROOT, Told, differences, files_of

from pipshare import ledger, statements
from pipshare.money import from_e8
from pipshare.pipeline import Run, to_rest
from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan, load
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


class Books:
    """An example in a database."""

    def __init__(self, conn: Any, folder: Path, case: str) -> None:
        self.conn, self.folder, self.case = conn, folder, case
        self.run = Run(conn)

    def bring(self) -> None:
        """Load everything, apply the plans, import the trades, settle."""
        tables = json.loads((ROOT / self.case / "tree.json").read_text())
        tables.setdefault("servers", [SERVER])
        files = files_of(self.case)
        for kind in ("symbols", "fx", "quotes"):
            path = getattr(files, kind)
            if path is not None:
                tables[kind] = list(csv.DictReader(path.open(newline="")))
        for kind in ORDER:
            self._load(kind, tables.get(kind))
        for plan in files.plans:
            apply_plan(self.run, plan, by="anna")
        self._load("terms", tables["terms"])
        if files.events is not None:
            self._load("events", list(csv.DictReader(files.events.open(newline=""))))
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
        assert differences(case, books.lines(), None) == []
        assert ledger.verify(conn)[0] == []
        assert statements.check_lines(conn) == []
        _assert_accrued(books)


def _assert_accrued(books: Books) -> None:
    """What each partner holds is the sum of his lines."""
    held, _ = statements.overview(books.conn)
    sums: dict[str, Decimal] = {}
    for line in books.lines():
        sums[line.partner] = sums.get(line.partner, Decimal(0)) + line.amount
    found = {one.partner: from_e8(one.amount_e8) for one in held}
    assert {who: amount for who, amount in sums.items() if amount} == {
        who: amount for who, amount in found.items() if amount
    }
