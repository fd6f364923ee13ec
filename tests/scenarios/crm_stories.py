"""Stories that a CRM tells: many copies of a broker's client, each told in an order of its own.

Each copy is a client with an account of two trades, his IB and a master above him. What is told in
one round is taken in and settled together; then come the next events of every copy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from small_broker import manager, manager_row

from pipshare import audit, clients, ledger, partners, statements
from pipshare.facts.records import read_records
from pipshare.pipeline import Run, paying, to_rest
from pipshare.pipeline.closing import close_period
from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan, approve, load

E8 = 10**8
LATER = 1_900_000_000_000
Event = Mapping[str, Any]
# What one copy's partners hold: (who, currency, state, earned day) -> 1e-8.
Books = dict[tuple[str, str, str, str], int]
_BOOKS = """
SELECT p.code, a.currency, a.state, t.earned_day::text, sum(l.amount_e8)::bigint
  FROM ledger_leg l JOIN ledger_account a ON a.id = l.account_id
  JOIN ledger_transfer t ON t.id = l.transfer_id
  JOIN partners_partner p ON a.payee_kind = 'partner' AND p.id = a.payee_id
 GROUP BY 1, 2, 3, 4 HAVING sum(l.amount_e8) <> 0
"""
_STANDS = """
SELECT state, sum(amount_e8)::bigint FROM ledger_balance
 WHERE payee_kind = 'partner' AND payee_id = %s GROUP BY 1 HAVING sum(amount_e8) <> 0
"""


def told(event: str, kind: str, day: str, **more: Any) -> dict[str, Any]:
    """Return an event of the client at ten o'clock of a day such as "03-02" of 2026."""
    return {"event": event, "kind": kind, "at": f"2026-{day}T10:00:00Z", **more}


@dataclass(frozen=True)
class Copy:
    """One copy of a story: its number, its programme and its client's code."""

    number: int
    programme: str

    @property
    def client(self) -> str:
        return f"C-{self.number}"

    def of(self, event: Event) -> dict[str, Any]:
        """Return an event as it happened to this copy's client."""
        named = {key: f"{event[key]}-{self.number}" for key in ("event", "reference")
                 if key in event}  # fmt: skip
        return {"client": self.client, **event, **named}


class Stories:
    """A broker with copies of a client under each programme, and the questions of the stories."""

    def __init__(
        self,
        conn: Any,
        folder: Path,
        plans: Mapping[str, str],
        copies: int,
        kept: bool = False,
    ) -> None:
        self.conn, self.folder, self.run, self.kept = conn, folder, Run(conn), True
        some = [Copy(number, list(plans)[number % len(plans)])
                for number in range(copies * len(plans))]  # fmt: skip
        self.copies = some
        if not kept:
            self._load_all(plans)

    def _load_all(self, plans: Mapping[str, str]) -> None:
        some = self.copies
        self._load("servers", "server,platform,clock,go_live", ["Live-4,mt4,UTC,2026-01-01"])
        self._load("symbols", "symbol,symbol_group", ["EURUSD,forex"])
        self._load("partners", "partner,name,parent", [
            row for one in some
            for row in (f"M-{one.number},Master,", f"IB-{one.number},Sub,M-{one.number}")
        ])  # fmt: skip
        self._load("clients", "client,partner", [f"{c.client},IB-{c.number}" for c in some])
        self._load("accounts", "server,login,client",
                   [f"Live-4,{1000 + c.number},{c.client}" for c in some])  # fmt: skip
        for text in plans.values():
            apply_plan(self.run, self._file("plan.toml", text), by="anna")
        self._load("terms", "partner,programme", [
            f"{who}-{one.number},{one.programme}" for one in some for who in ("M", "IB")
        ])  # fmt: skip

    def _file(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content)
        return path

    def _load(self, kind: str, head: str, rows: Iterable[str]) -> None:
        path = self._file(f"{kind}.csv", "\n".join([head, *rows, ""]))
        assert not load(self.run, kind, path, by="anna").reports[0].refused

    def trade(self, nth: int, day: str, lots: str = "1.00", profit: str = "-100.00") -> None:
        """Let every copy's client close his nth trade at eleven o'clock of a day."""
        rows = [
            manager_row(1_000_000 * nth + one.number, lots, **{
                "Login": str(1000 + one.number), "Open Time": "2026.02.02 10:00:00",
                "Close Time": f"2026.{day.replace('-', '.')} 11:00:00", "Profit": profit,
            }) for one in self.copies
        ]  # fmt: skip
        import_file(self.run, self._file(f"{nth}.csv", manager(*rows)), Order("Live-4", "anna"))

    def move(self, client: str, partner: str, day: str) -> None:
        """Let a client be another partner's from a day such as "05-01" on, by two people."""
        head, row = "kind,code,partner,valid_from", f"client,{client},{partner},2026-{day}"
        path = self._file("relations.csv", f"{head}\n{row}\n")
        load(self.run, "relations", path, by="anna", reason="moved")
        for one in audit.pending(self.conn):
            approve(self.run, one.id, by="ben")

    def tell(self, events: Sequence[Event]) -> None:
        """Take in events as POST /v1/events does, and settle; none may be refused."""
        if events:
            records = [json.dumps(one).encode() for one in events]
            frame, refused = read_records(records, "events", defaults={"source": "crm"})
            taken = clients.take_events(self.conn, frame, by="key crm")
            assert not [*refused, *taken.report.refused]
            self.conn.commit()
        to_rest(self.run)

    def close(self, *months: str) -> None:
        """Close months such as "2026-03", one after the other."""
        for month in months:
            close_period(self.run, "main", month, by="anna", now_ms=LATER)

    def pay(self, partner: str, dollars: int, reference: str) -> None:
        """Pay a partner: proposed by one person, approved by another."""
        found = partners.partner(self.conn, partner)
        number = paying.propose_payment(
            self.conn, found, dollars * E8, reference=reference, paid_on=date(2026, 6, 3), by="anna"
        )
        approve(self.run, number, by="ben")

    def stands(self, partner: str) -> dict[str, float]:
        """Return what a partner's accounts hold, in dollars by state."""
        found = partners.partner(self.conn, partner)
        rows = self.conn.execute(_STANDS, (found.id,)).fetchall()
        return {state: amount / E8 for state, amount in rows}

    def waiting(self) -> list[tuple[str, str]]:
        """Return (event, reason) of the events that wait."""
        rows = clients.waiting_events(self.conn)
        self.conn.commit()
        return sorted((row[3], row[0]) for row in rows)

    def books(self) -> dict[int, Books]:
        """Return each copy's books; the whole books must be right."""
        assert ledger.verify(self.conn)[0] == []
        assert statements.check_lines(self.conn) == []
        found: dict[int, Books] = {one.number: {} for one in self.copies}
        for code, currency, state, day, amount in self.conn.execute(_BOOKS).fetchall():
            who, number = code.split("-")
            found[int(number)][who, currency, state, day] = amount
        self.conn.commit()
        return found
