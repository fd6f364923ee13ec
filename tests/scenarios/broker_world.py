"""The demonstration broker, loaded through the same doors that a broker uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipshare import ledger, statements
from pipshare.pipeline import Run
from pipshare.pipeline.files import FileReport, Order, import_file
from pipshare.pipeline.loads import apply_plan, load
from pipshare.sandbox import Broker

SERVERS = {"mt4": "Demo-MT4", "mt5": "Demo-MT5"}


@dataclass
class World:
    """A loaded broker: its files, its run, and a few questions that every story asks."""

    run: Run
    broker: Broker
    paths: dict[str, Path]

    def load_all(self, *, without: tuple[str, ...] = ()) -> None:
        for kind, path in self.paths.items():
            if kind in SERVERS or kind in without:
                continue
            if kind.startswith("programme "):
                apply_plan(self.run, path, by="anna")
            else:
                report = load(self.run, kind, path, by="anna").reports[0]
                assert not report.refused, report.refused[:3]

    def bring(self, kind: str, **options: Any) -> FileReport:
        return import_file(self.run, self.paths[kind], Order(SERVERS[kind], "anna", **options))

    def import_all(self) -> None:
        for kind in SERVERS:
            self.bring(kind)

    def totals(self) -> dict[str, int]:
        """Every partner's accrued amount in 1e-8 of his wallet; zeros left out."""
        held, _ = statements.overview(self.run.conn)
        return {one.partner: one.amount_e8 for one in held if one.amount_e8}

    def waiting(self) -> dict[str, int]:
        _, rows = statements.overview(self.run.conn)
        found: dict[str, int] = {}
        for row in rows:
            found[row.reason] = found.get(row.reason, 0) + row.trades
        return found

    def counts(self) -> dict[str, int]:
        tables = ("trades_trade", "inbox_deal", "rating_entry", "ledger_transfer", "ledger_leg")
        return {t: self.run.conn.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}

    def assert_whole(self) -> None:
        breaks, _ = ledger.verify(self.run.conn)
        assert breaks == []
        assert statements.check_lines(self.run.conn) == []
