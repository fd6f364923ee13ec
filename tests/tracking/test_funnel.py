"""The funnel counts people's clicks and what became of clients, where each is attributed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from pipshare import inbox, partners
from pipshare.cli.main import program
from pipshare.facts.clicks import BOT, PREFETCH, Click, click_id
from pipshare.facts.reading import read_table
from pipshare.pipeline.funnel import Funnel, funnel

T = 1_764_000_000_000
DAY = 24 * 3600 * 1000
CLIENT = "INSERT INTO clients_client (entity_id, code) VALUES (1, %s) RETURNING id"
MILESTONE = """
INSERT INTO clients_milestone (client_id, kind, number, at, source, event, said, undone_at)
VALUES (%s, %s, %s, to_timestamp(%s / 1000.0), 'crm', '', 'nobody', %s)"""
CLAIM = """
INSERT INTO attribution_claim (client_id, via, evidence, partner_id, moment, registered_at, told_by,
                               told_id, decision, reason, detail)
VALUES (%s, %s, %s, %s, now(), now(), 's2s:test', '', %s, '', '')"""
RELATED = "INSERT INTO partners_client (client_id, partner_id) VALUES (%s, %s)"


@pytest.fixture
def conn(db: Any) -> Iterator[Any]:
    with db.app() as found:
        yield found


def client(conn: Any, code: str, reached: dict[str, int], *claims: Any, related: Any = None) -> int:
    """Make a client. `reached`: kind -> moment; claims: (via, evidence, partner, decision)."""
    (id_,) = conn.execute(CLIENT, (code,)).fetchone()
    for kind, at in reached.items():
        conn.execute(MILESTONE, (id_, kind, 1, at, None))
    for claim in claims:
        conn.execute(CLAIM, (id_, *claim))
    if related:
        conn.execute(RELATED, (id_, related))
    return int(id_)


@pytest.fixture
def world(conn: Any) -> dict[str, Any]:
    """Two partners; P-1 with two links of a campaign, P-2 with a link that nobody follows."""
    partners.load_partners(conn, read_table(b"partner,parent\nP-1,\nP-2,P-1", "partners")[0])
    partners.add_landing(conn, 1, "home", "https://broker.example/", by="Ana")
    one, two = partners.partner(conn, "P-1"), partners.partner(conn, "P-2")
    a = partners.add_link(conn, one, by="Ana", code="aaa", campaign="spring")
    b = partners.add_link(conn, one, by="Ana", code="bbb", campaign="spring")
    partners.add_link(conn, two, by="Ana", code="ccc")
    made = [(a, 0, 0), (a, 0, 0), (a, BOT, 0), (a, PREFETCH, 0), (b, 0, 0), (a, 0, 40 * DAY)]
    clicks = [Click(click_id(T + later, n.to_bytes(10, "big")), link.id, one.id, kind=kind)
              for n, (link, kind, later) in enumerate(made)]  # fmt: skip
    inbox.store_clicks(conn, clicks)
    all_three = {"registered": T, "qualified": T + DAY, "first_trade": T + 40 * DAY}
    client(conn, "C-1", all_three, ("click", clicks[4].id, one.id, "kept"),
           ("click", clicks[0].id, one.id, "attributed"), related=one.id)  # fmt: skip
    client(conn, "C-2", {"registered": T}, ("partner_code", "P-2", two.id, "attributed"))
    client(conn, "C-3", {"registered": T, "qualified": T}, related=two.id)
    client(conn, "C-4", {"registered": T})  # nobody's
    undone = client(conn, "C-5", {"registered": T}, ("click", clicks[4].id, one.id, "attributed"))
    conn.execute(MILESTONE, (undone, "qualified", 1, T, "2026-01-01"))
    conn.commit()
    return {"one": one, "two": two}


def test_each_step_is_counted_where_it_belongs(conn: Any, world: dict[str, Any]) -> None:
    assert funnel(conn, T, T + 2 * DAY) == [
        Funnel("P-1", "spring", "aaa", 2, 1, 1, 1, 1, 0),
        Funnel("P-1", "spring", "bbb", 1, 0, 0, 1, 0, 0),
        Funnel("P-2", "", "", 0, 0, 0, 2, 1, 0),
        Funnel("P-2", "", "ccc", 0, 0, 0, 0, 0, 0),
    ]
    later = funnel(conn, T + 40 * DAY, T + 41 * DAY, partner_ids=[world["one"].id])
    assert later == [
        Funnel("P-1", "spring", "aaa", 1, 0, 0, 0, 0, 1),
        Funnel("P-1", "spring", "bbb", 0, 0, 0, 0, 0, 0),
    ]


def test_sums_by_campaign_and_partner(conn: Any, world: dict[str, Any]) -> None:
    assert funnel(conn, T, T + 2 * DAY, by="campaign") == [
        Funnel("P-1", "spring", "", 3, 1, 1, 2, 1, 0),
        Funnel("P-2", "", "", 0, 0, 0, 2, 1, 0),
    ]
    assert funnel(conn, T, T + 2 * DAY, by="partner")[0] == Funnel(
        "P-1", "", "", 3, 1, 1, 2, 1, 0
    )  # fmt: skip


def test_the_command(conn: Any, world: dict[str, Any]) -> None:
    span = ["--from", "2025-11-24", "--to", "2025-11-27"]
    said = CliRunner().invoke(program, ["funnel", *span]).output
    assert "1 (50 %)" in said
    told = CliRunner().invoke(program, ["funnel", *span, "--partner", "P-1", "--subtree", "--by",
                                        "partner", "--json"])  # fmt: skip
    assert [(row["partner"], row["registered"]) for row in json.loads(told.output)] == [
        ("P-1", 2),
        ("P-2", 2),
    ]
    quiet = CliRunner().invoke(program, ["funnel", *span, "--campaign", "autumn"])
    assert "Nobody clicked" in quiet.output
