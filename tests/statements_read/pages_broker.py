"""The demonstration's broker, booked once, for tests that only read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipshare import partners, sandbox
from pipshare.pipeline import Run
from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan, load

PERIOD = "2026-11"


@dataclass
class Books:
    """A connection of the application to booked trades."""

    conn: Any
    run: Run
    paths: dict[str, Path]

    def rows(self, query: str, *values: Any) -> list[Any]:
        return list(self.conn.execute(query, values).fetchall())

    def partner(self, code: str) -> int:
        return partners.partner(self.conn, code).id

    def subtree(self, code: str) -> list[int]:
        return partners.subtree(self.conn, self.partner(code))


def make_books(conn: Any, folder: Path, trades: int = 500) -> Books:
    """Load and import a broker of so many trades."""
    paths = sandbox.write_demo(folder, sandbox.make_broker(seed=11, trades=trades))
    run = Run(conn)
    for kind, path in paths.items():
        if kind.startswith("programme "):
            apply_plan(run, path, by="anna")
        elif kind not in ("mt4", "mt5"):
            load(run, kind, path, by="anna")
    for kind, server in (("mt4", "Demo-MT4"), ("mt5", "Demo-MT5")):
        import_file(run, paths[kind], Order(server, "anna"))
    conn.commit()
    return Books(conn, run, paths)
