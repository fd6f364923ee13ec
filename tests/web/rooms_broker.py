"""The demonstration's broker, with a month of trades, for the rooms to show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipshare import db, inbox, sandbox, statements
from pipshare.money import format_e8, minor_units
from pipshare.pipeline import Run
from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan, load

SERVERS = {"mt4": "Demo-MT4", "mt5": "Demo-MT5"}
PERIOD = "2026-11"


def book(folder: Path, trades: int = 400, seed: int = 7) -> sandbox.Broker:
    """Load a broker and import his trades; some wait, and one row of a file is refused."""
    broker = sandbox.make_broker(seed=seed, trades=trades)
    paths = sandbox.write_demo(folder, broker)
    text = paths["mt4"].read_text(encoding="utf-8").splitlines(keepends=True)
    broken = text[-1].split(",")
    broken[0], broken[5] = "999999999", "many"
    paths["mt4"].write_text("".join([*text, ",".join(broken)]), encoding="utf-8")
    with db.connect() as conn:
        run = Run(conn)
        for kind, path in paths.items():
            if kind.startswith("programme "):
                apply_plan(run, path, by="anna")
            elif kind not in SERVERS:
                load(run, kind, path, by="anna")
        for kind, server in SERVERS.items():
            import_file(run, paths[kind], Order(server, "anna"))
        conn.commit()
    return broker


def only(query: str, *values: Any) -> tuple[Any, ...]:
    """Return the first row that the application reads."""
    with db.connect() as conn:
        row = conn.execute(query, values).fetchone()
    assert row is not None
    return tuple(row)


def earned(partner: str) -> str:
    """Return what a partner holds in the books, as the console writes it."""
    with db.connect() as conn:
        held, _ = statements.overview(conn)
    [one] = [row for row in held if row.partner == partner]
    return f"{format_e8(one.amount_e8, minor_units(one.currency))} {one.currency}"


def add_sources() -> None:
    """Set up two sources: one that works and was checked, one that is out."""
    findings = [
        {"level": "ok", "what": "connection", "text": "manager 1000 signs in"},
        {"level": "warning", "what": "clock", "text": "the server's clock is 2 s ahead of ours"},
        {"level": "fault", "what": "groups", "text": "no group matches real\\ecn*: ask for it"},
    ]
    with db.connect() as conn:
        ids = dict(conn.execute("SELECT code, id FROM market_server").fetchall())
        settings = {"url": "https://mt5.broker.example", "login": "1000", "groups": "real*"}
        live = inbox.add_source(conn, "demo-mt5", ids["Demo-MT5"], "mt5_web", settings, by="anna")
        out = inbox.add_source(conn, "exports", ids["Demo-MT4"], "files", {"dir": "/in"}, by="anna")
        inbox.note_ok(conn, live.id, deals=12, trades=5, lags_ms=[120, 300, 450, 900])
        inbox.note_check(conn, live.id, findings)
        inbox.save_cursor(conn, live.id, {"live_s": 1_795_000_000})
        inbox.note_fault(conn, out.id, "the folder /in does not exist: create it")
        late = "no file for 26 hours: look at the export job"
        inbox.raise_alert(conn, "no_file", "exports", late, source_id=out.id)
        conn.commit()


def revise(path: Path) -> None:
    """Import one deal of Demo-MT4 again, later and with more lots: a second revision."""
    with db.connect() as conn:
        raw = next(iter(inbox.raw(conn, only("SELECT min(id) FROM inbox_file")[0]))).decode()
        header, *lines = raw.splitlines()
        paid = only("SELECT max(ticket) FROM rating_line r JOIN market_server s ON s.id = server_id"
                    " WHERE s.code = 'Demo-MT4' AND amount_e8 > 0")[0]  # fmt: skip
        cells = next(line for line in lines if line.startswith(f"{paid},")).split(",")
        cells[5] = "7.77"
        path.write_text(f"{header}\n{','.join(cells)}\n", encoding="utf-8")
        now_ms = conn.execute("SELECT (extract(epoch FROM now()) * 1000)::bigint").fetchone()
        assert now_ms is not None
        import_file(Run(conn), path, Order("Demo-MT4", "anna", as_of_ms=now_ms[0]))
        conn.commit()
