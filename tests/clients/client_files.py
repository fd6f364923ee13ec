"""A small broker, and load files of clients and accounts as the command would load them."""

from __future__ import annotations

from pipshare import clients, market
from pipshare.facts.reading import LoadReport, read_table

LOADERS = {
    "entities": market.load_entities,
    "servers": market.load_servers,
    "clients": clients.load_clients,
    "accounts": clients.load_accounts,
}
BROKER = {
    "entities": "entity,clock\nmain,America/New_York+7h\ntwo,UTC\n",
    "servers": "server,platform,entity\nLive,mt5,main\nOld,mt4,two\n",
    "clients": "client,entity\nc1,main\nc2,main\nc1,two\n",
}


def load(conn, kind: str, text: str, **options) -> LoadReport:
    data = "\n".join(line.strip() for line in text.strip().splitlines()).encode()
    frame, refused = read_table(data, kind, clock=market.day_clocks(conn, kind))
    report = LOADERS[kind](conn, frame, **options)
    report.unread(refused)
    told = (report.added, report.changed, report.same, len(report.refused), len(report.proposed))
    assert sum(told) == report.rows
    return report


def counts(report: LoadReport) -> tuple[int, int, int, int, int]:
    return (
        report.added, report.changed, report.same, len(report.refused), len(report.proposed)
    )  # fmt: skip


def build(conn) -> None:
    for kind, text in BROKER.items():
        load(conn, kind, text)
