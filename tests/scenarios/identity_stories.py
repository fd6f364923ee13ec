"""A broker whose clients turn out to be one person: pairs of clients, each told of in its own way.

Each copy has partners P and Q, a client A of P and a client B whose partner the story says, with an
account and a trade of one lot each, closed on 2 March 2026.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from small_broker import manager, manager_row

from pipshare import audit, clients, ledger, statements
from pipshare.facts.records import read_records
from pipshare.pipeline import Run, to_rest
from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan, load

E8 = 10**8
Event = Mapping[str, Any]
Books = dict[tuple[str, str, str], int]
# What one copy's partners hold: (who, state, earned day) -> 1e-8.
_BOOKS = """
SELECT p.code, a.state, t.earned_day::text, sum(l.amount_e8)::bigint
  FROM ledger_leg l JOIN ledger_account a ON a.id = l.account_id
  JOIN ledger_transfer t ON t.id = l.transfer_id
  JOIN partners_partner p ON a.payee_kind = 'partner' AND p.id = a.payee_id
 GROUP BY 1, 2, 3 HAVING sum(l.amount_e8) <> 0
"""
PLAN = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
qualify = { net_deposits = 100 }
[[component.rate]]
level = 1
amount = "200"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
amount = "5"
"""


def told(event: str, kind: str, day: str, client: str, **more: Any) -> dict[str, Any]:
    """Return an event of client A or B at ten o'clock of a day such as "03-02" of 2026."""
    return {"event": event, "kind": kind, "client": client, "at": f"2026-{day}T10:00:00Z", **more}


class Pairs:
    """A broker with copies of the pair; `of_b`: the partner of the Bs, P, Q, direct or "" ."""

    def __init__(self, conn: Any, folder: Path, copies: int, of_b: str, kept: bool = False) -> None:
        self.conn, self.folder, self.run, self.copies = conn, folder, Run(conn), range(copies)
        self.kept = True
        if not kept:
            self._load_all(of_b)

    def _load_all(self, of_b: str) -> None:
        self._load("servers", "server,platform,clock,go_live", ["Live-4,mt4,UTC,2026-01-01"])
        self._load("symbols", "symbol,symbol_group", ["EURUSD,forex"])
        self._load("partners", "partner", [f"{p}-{n}" for n in self.copies for p in "PQ"])
        of = {"": "", "direct": "direct"}
        self._load("clients", "client,partner", [
            f"{client}-{n},{of.get(whose, f'{whose}-{n}')}"
            for n in self.copies for client, whose in (("A", "P"), ("B", of_b))
        ])  # fmt: skip
        self._load("accounts", "server,login,client", [
            f"Live-4,{1000 * nth + n},{client}-{n}"
            for n in self.copies for nth, client in ((1, "A"), (2, "B"))
        ])  # fmt: skip
        path = self.folder / "plan.toml"
        path.write_text(PLAN)
        apply_plan(self.run, path, by="anna")
        self._load("terms", "partner,programme",
                   [f"{p}-{n},std" for n in self.copies for p in "PQ"])  # fmt: skip
        self.trade(*(1000 * nth + n for n in self.copies for nth in (1, 2)))

    def trade(self, *logins: int) -> None:
        """Let accounts close a trade each, of one lot, on 2 March 2026."""
        rows = [
            manager_row(login, "1.00", **{
                "Login": str(login), "Open Time": "2026.03.02 09:00:00",
                "Close Time": "2026.03.02 11:00:00",
            }) for login in logins
        ]  # fmt: skip
        path = self.folder / "trades.csv"
        path.write_text(manager(*rows))
        import_file(self.run, path, Order("Live-4", "anna"))

    def _load(self, kind: str, head: str, rows: Iterable[str]) -> None:
        path = self.folder / f"{kind}.csv"
        path.write_text("\n".join([head, *rows, ""]))
        assert not load(self.run, kind, path, by="anna").reports[0].refused

    def relate(self, kind: str, head: str, *rows: str) -> None:
        """Load reference data later on."""
        self._load(kind, head, rows)

    def tell(self, *events: tuple[int, Event]) -> None:
        """Take in events of copies, and settle; none may be refused."""
        records = [json.dumps(_of(n, event)).encode() for n, event in events]
        frame, refused = read_records(records, "events", defaults={"source": "crm"})
        taken = clients.take_events(self.conn, frame, by="key crm")
        assert not [*refused, *taken.report.refused]
        self.conn.commit()
        to_rest(self.run)

    def tell_orders(self, orders: Sequence[Sequence[Event]]) -> None:
        """Tell each copy its events one a round, and the round's first ones again."""
        for nth in range(max(len(order) for order in orders)):
            fresh = [(n, order[nth]) for n, order in enumerate(orders) if nth < len(order)]
            again = [(n, order[0]) for n, order in enumerate(orders)] if nth else []
            self.tell(*fresh, *again)
        self.tell(*((n, one) for n, order in enumerate(orders) for one in order))

    def books(self) -> list[Books]:
        """Return each copy's books; the whole books must be right."""
        assert ledger.verify(self.conn)[0] == []
        assert statements.check_lines(self.conn) == []
        found: list[Books] = [{} for _ in self.copies]
        for code, state, day, amount in self.conn.execute(_BOOKS).fetchall():
            who, number = code.split("-")
            found[int(number)][who, state, day] = amount // E8
        self.conn.commit()
        return found

    def proposals(self) -> list[audit.Proposal]:
        """Return what waits for a second person."""
        found = audit.pending(self.conn)
        self.conn.commit()
        return found


def _of(number: int, event: Event) -> dict[str, Any]:
    names = ("event", "reference", "client", "other_client", "partner")
    return {**event, **{key: f"{event[key]}-{number}" for key in names
                        if key in event and event[key] != "direct"}}  # fmt: skip
