"""Load a text as a load file, as the command does, and give the report."""

from __future__ import annotations

from pipshare import market
from pipshare.facts.reading import LoadReport, read_table

LOADERS = {
    "entities": market.load_entities,
    "servers": market.load_servers,
    "groups": market.load_groups,
    "symbols": market.load_symbols,
    "markups": market.load_markups,
    "spreads": market.load_spreads,
    "quotes": market.load_quotes,
    "fx": market.load_fx,
}


def load(conn, kind: str, text: str, **options) -> LoadReport:
    """Read and load; lines and cells of `text` may be indented and separated by spaces."""
    lines = [line.strip() for line in text.strip().splitlines()]
    data = "\n".join(lines).encode()
    frame, refused = read_table(data, kind, clock=market.day_clocks(conn, kind))
    report = LOADERS[kind](conn, frame, **options)
    report.unread(refused)
    return report


def counts(report: LoadReport) -> tuple[int, int, int, int, int]:
    """Return added, changed, same, refused, proposed; they add up to the rows."""
    told = (report.added, report.changed, report.same, len(report.refused), len(report.proposed))
    assert sum(told) == report.rows
    return told
