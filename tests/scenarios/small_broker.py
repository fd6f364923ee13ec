"""A broker of one client and two partners, and files of a few rows in the forms of exports."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipshare import ledger, statements
from pipshare.facts.reading import LoadReport
from pipshare.pipeline import Run
from pipshare.pipeline.files import FileReport, Order, import_file
from pipshare.pipeline.loads import apply_plan, load

LOADS = {
    "servers": "server,platform,clock,go_live\nLive-4,mt4,UTC,2026-01-01T00:00:00Z\n"
    "Live-5,mt5,UTC,2026-01-01T00:00:00Z\n",
    "symbols": "symbol,symbol_group\nEURUSD,forex\n",
    "partners": "partner,name,parent\nP-1,Master,\nP-2,Sub,P-1\n",
    "clients": "client,partner\nC-1,P-2\n",
    "accounts": "server,login,client\nLive-4,1001,C-1\nLive-5,5001,C-1\n",
}
PLAN = """[programme]
code = "std"
name = "Standard"
currency = "USD"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
symbol_group = "forex"
amount = "5.00"
[[component.rate]]
level = 2
symbol_group = "forex"
amount = "1.00"
"""
EVENTS = "event,kind,client,at,amount,currency,reference,source\n"
TERMS = "partner,programme\nP-1,std\nP-2,std\n"
LOT = 10**8  # what a lot of forex pays: 5 to P-2, 1 to P-1


@dataclass
class SmallBroker:
    """A loaded broker, and the questions of the stories."""

    conn: Any
    folder: Path
    kept: bool = False  # True: its database is a copy of one that is loaded

    def __post_init__(self) -> None:
        self.run = Run(self.conn)
        if self.kept:
            return
        for kind, text in LOADS.items():
            assert not self.load(kind, text)[0].refused
        apply_plan(self.run, self.file("std.toml", PLAN), by="anna")
        assert not self.load("terms", TERMS)[0].refused
        self.kept = True

    def file(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def load(self, kind: str, text: str, **options: Any) -> list[LoadReport]:
        path = self.file(f"{kind}.csv", text)
        return load(self.run, kind, path, by="anna", **options).reports

    def plan(self, text: str) -> None:
        """Apply a programme."""
        apply_plan(self.run, self.file("std.toml", text), by="anna")

    def events(self, *rows: str) -> None:
        """Load events of clients, rows of EVENTS; none may be refused."""
        assert not self.load("events", EVENTS + "\n".join(rows) + "\n")[0].refused

    def bring(
        self, name: str, content: str | bytes, server: str = "Live-4", **options: Any
    ) -> FileReport:
        """Import a file; what it raises leaves the connection as the command line does."""
        try:
            return import_file(self.run, self.file(name, content), Order(server, "anna", **options))
        except Exception:
            self.conn.rollback()
            self.run.refresh()
            raise

    def totals(self) -> dict[str, int]:
        """Every partner's accrued amount in 1e-8 dollars; zeros left out."""
        held, _ = statements.overview(self.conn)
        return {one.partner: one.amount_e8 for one in held if one.amount_e8}

    def waiting(self) -> dict[str, int]:
        _, rows = statements.overview(self.conn)
        return {row.reason: row.trades for row in rows}

    def count(self, table: str) -> int:
        found = self.conn.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(found[0])

    def audited(self, action: str) -> list[tuple[str, str, str, Any]]:
        """Return (actor, subject, reason, detail) of what was written down under an action."""
        query = """SELECT actor, subject, reason, detail FROM audit_event WHERE action = %s
                    ORDER BY id"""
        return self.conn.execute(query, (action,)).fetchall()

    def assert_paid(self, hundredths: int) -> None:
        """So many hundredths of a lot are booked, to both partners, and the books are whole."""
        lots = hundredths * LOT // 100
        wanted = {"P-1": lots, "P-2": 5 * lots} if lots else {}
        assert self.totals() == wanted
        assert ledger.verify(self.conn)[0] == []
        assert statements.check_lines(self.conn) == []


MANAGER = [
    "Deal", "Login", "Open Time", "Type", "Symbol", "Volume", "Open Price", "S/L", "T/P",
    "Close Time", "Close Price", "Reason", "Gateway Order", "Gateway Volume", "Open Price Delta",
    "Close Price Delta", "Agent", "Commission", "Taxes", "Swap", "Profit", "Points", "Comment",
    "", "",
]  # fmt: skip


def manager_row(ticket: int, lots: str = "0.10", **cells: str) -> list[str]:
    """One row of an MT4 Manager export: a buy of EURUSD by login 1001, unless told otherwise."""
    told = {
        "Deal": str(ticket), "Login": "1001", "Open Time": "2026.03.02 10:00:00", "Type": "buy",
        "Symbol": "EURUSD", "Volume": lots, "Open Price": "1.10000", "S/L": "0", "T/P": "0",
        "Close Time": "2026.03.02 11:00:00", "Close Price": "1.10100", "Reason": "Client",
        "Agent": "0", "Commission": "0.00", "Taxes": "0", "Swap": "0.00", "Profit": "10.00",
        "Points": "100", **cells,
    }  # fmt: skip
    row = [told.get(name, "") for name in MANAGER]
    row[-1] = "USD"
    return row


def as_csv(rows: list[list[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue()


def manager(*rows: list[str]) -> str:
    """A whole MT4 Manager export."""
    return as_csv([MANAGER, *rows])


JOURNAL = 'Ticket;Open;Type;Volume;Symbol;Price;SL;TP;Close;Price;Swap;Commissions;Profit;Pips;"Trade duration in seconds"\n'  # noqa: E501


def journal(*rows: str) -> str:
    """A prop-firm journal; a row is ticket;lots;close time."""
    lines = []
    for row in rows:
        ticket, lots, closed = row.split(";")
        lines.append(f'{ticket};"2026-03-02 10:00:00";buy;{lots};EURUSD;1.10000;0;0;"{closed}";'
                     "1.10100;0;0;10;10;3600\n")  # fmt: skip
    return JOURNAL + "".join(lines)
