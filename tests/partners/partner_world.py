"""A small broker for tests of partners and attribution: files in, rows out."""

from __future__ import annotations

from typing import Any

from pipshare import audit, partners
from pipshare.facts.reading import LoadReport, read_table
from pipshare.partners import load_partners, load_relations

LOADERS = {"partners": load_partners, "relations": load_relations}
APPLY = {"relation": partners.apply_relation, "partner_go_live": partners.apply_go_live}
DAY = 86_400_000


def load(conn: Any, kind: str, text: str, **signed: str) -> LoadReport:
    """Load a file given as text: commas between cells, one row a line, spaces around ignored."""
    body = "\n".join(line.strip() for line in text.strip().splitlines())
    frame, refused = read_table(body.encode(), kind)
    assert not refused, refused
    return LOADERS[kind](conn, frame, **signed)


def clients(conn: Any, *codes: str, entity: str = "main") -> None:
    """Make clients."""
    for code in codes:
        conn.execute(
            "INSERT INTO clients_client (entity_id, code)"
            " SELECT id, %s FROM market_entity WHERE code = %s",
            (code, entity),
        )


def approve(conn: Any, report: LoadReport, by: str = "Boris") -> list[Any]:
    """Approve everything a load proposed; returns from when truth changed."""
    return [
        audit.approve(conn, number, by, APPLY).outcome for number in sorted(set(report.proposed))
    ]


def counts(report: LoadReport) -> dict[str, int]:
    """What a load did, without zeros; and the law that every row is counted once."""
    found = {
        "added": report.added, "changed": report.changed, "same": report.same,
        "refused": len(report.refused), "proposed": len(report.proposed),
    }  # fmt: skip
    assert sum(found.values()) == report.rows, found
    return {name: number for name, number in found.items() if number}


def reasons(report: LoadReport) -> dict[int, str]:
    """Line and reason of each refusal."""
    return {refusal.line: refusal.reason for refusal in report.refused}


def parents(conn: Any, at: str, known_at: int | None = None) -> dict[str, str | None]:
    """Who stood under whom at a date."""
    from datetime import datetime

    from pipshare.period import to_ms

    moment = to_ms(datetime.fromisoformat(f"{at}T00:00:00+00:00"))
    tree = partners.tree(conn, moment, known_at)
    return dict(zip(tree["code"], tree["parent"], strict=True))
