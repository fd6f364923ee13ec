"""Clients: entities, countries over time, and the relations that are handed on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from client_files import build, counts, load

from pipshare.period import to_ms

CLIENTS = """
    client,entity,country,partner,valid_from
    a,,cy,P1,
    b,two,,direct,2026-03-01
    a,,,P2,2026-03-01
    d,main,DE,,
"""


@pytest.fixture
def conn(db):
    with db.app() as conn:
        build(conn)
        yield conn


def stored(conn) -> list[tuple]:
    return conn.execute(
        "SELECT e.code, c.code, t.country FROM clients_client c JOIN market_entity e "
        "ON e.id = c.entity_id LEFT JOIN clients_country t ON t.client_id = c.id "
        "WHERE c.code IN ('a', 'b', 'd') ORDER BY 1, 2, t.id"
    ).fetchall()


def test_clients_and_the_relations_they_name(conn):
    report = load(conn, "clients", CLIENTS)
    assert counts(report) == (3, 0, 1, 0, 0)
    assert stored(conn) == [("main", "a", "CY"), ("main", "d", "DE"), ("two", "b", None)]
    utc_day = to_ms(datetime(2026, 3, 1, tzinfo=UTC))
    assert report.relations.rows() == [
        ("a", "main", "P1", None, 2),
        ("b", "two", "direct", utc_day, 3),
        ("a", "main", "P2", utc_day - 2 * 3_600_000, 4),  # that entity's day begins at 22:00 UTC
    ]


def test_the_same_file_again(conn):
    load(conn, "clients", CLIENTS)
    report = load(conn, "clients", CLIENTS)
    assert counts(report) == (0, 0, 4, 0, 0)
    assert report.from_ms is None
    assert len(report.relations) == 3  # whether they are known is for partners to say


def test_countries_over_time(conn):
    load(conn, "clients", CLIENTS)
    text = "client,country,valid_from\na,GR,2026-05-01\nd,DE,\nc2,FR,\n"
    report = load(conn, "clients", text)
    assert counts(report) == (0, 2, 1, 0, 0)
    assert report.from_ms == to_ms(datetime(2026, 4, 30, 21, tzinfo=UTC))
    assert [row[2] for row in stored(conn) if row[1] == "a"] == ["CY", "GR"]


def test_rows_that_cannot_be(conn):
    text = """
        client,entity,country,valid_from
        x,nine,,
        x,,Cyprus,
        y,,CY,2026-01-01
        y,,GR,2026-01-01
        ,,CY,
        z,,CY,
    """
    report = load(conn, "clients", text)
    assert counts(report) == (1, 0, 0, 5, 0)
    assert [(r.line, r.code) for r in report.refused] == [
        (2, "unknown_entity"), (3, "bad_country"), (4, "said_twice"), (5, "said_twice"),
        (6, "empty"),
    ]  # fmt: skip
    assert "client y, field country: contradicts line 5" in report.refused[2].reason
    codes = conn.execute("SELECT code FROM clients_client WHERE code IN ('x', 'y', 'z')")
    assert codes.fetchall() == [("z",)]


def test_dry_run_and_empty_file(conn):
    conn.commit()
    assert load(conn, "clients", CLIENTS, dry_run=True).added == 3
    conn.rollback()
    assert stored(conn) == []
    assert counts(load(conn, "clients", "client,entity")) == (0, 0, 0, 0, 0)
