"""Loading relations: first ones at once, moves by two people, back-dated corrections, in bulk."""

from __future__ import annotations

import polars as pl
import pytest
from partner_world import approve, clients, counts, load, reasons

from pipshare import audit
from pipshare.partners import load_relations
from pipshare.partners.store import known_relations
from pipshare.period import FOREVER_MS

SIGNED = {"by": "Anna", "reason": "agreed with both"}
FIRST = """
    kind,code,partner
    client,K-1,A
    client,K-2,direct
"""


@pytest.fixture
def conn(db):
    with db.app() as connection:
        load(connection, "partners", "partner,parent\nA,\nB,A\n")
        clients(connection, "K-1", "K-2", "K-3")
        yield connection


def records(conn) -> list[tuple]:
    return conn.execute(
        "SELECT c.code, p.code, r.valid_from::text, r.valid_to::text, r.recorded_by"
        "  FROM partners_client r JOIN clients_client c ON c.id = r.client_id"
        "  LEFT JOIN partners_partner p ON p.id = r.partner_id ORDER BY r.id"
    ).fetchall()


def test_a_first_relation_is_written_at_once_and_once(conn) -> None:
    assert counts(load(conn, "relations", FIRST, by="Anna")) == {"added": 2}
    assert counts(load(conn, "relations", FIRST)) == {"same": 2}
    assert records(conn) == [
        ("K-1", "A", "-infinity", "infinity", "Anna"),
        ("K-2", None, "-infinity", "infinity", "Anna"),
    ]


def test_a_move_waits_for_a_second_person_and_the_first_file_does_not_undo_it(conn) -> None:
    load(conn, "relations", FIRST)
    move = "kind,code,partner,valid_from\nclient,K-1,B,2026-03-01\n"
    said = reasons(load(conn, "relations", move))[2]
    assert said.startswith("line 2: client K-1 is under A; to move to B (from 2026-03-01) give")
    report = load(conn, "relations", move, **SIGNED)
    assert counts(report) == {"proposed": 1}
    (waiting,) = audit.pending(conn)
    assert waiting.subject == "client K-1: A -> B, from 2026-03-01"
    assert approve(conn, report) == [1_772_323_200_000]
    assert records(conn)[-1][:3] == ("K-1", "B", "2026-03-01 00:00:00+00")
    assert records(conn)[-1][4] == "Anna + Boris"
    assert counts(load(conn, "relations", FIRST)) == {"same": 2}
    assert counts(load(conn, "relations", move)) == {"same": 1}
    assert len(records(conn)) == 3


def test_moves_of_one_file_are_decided_together_and_proposed_once(conn) -> None:
    load(conn, "relations", FIRST + "client,K-3,B\n")
    one = load(conn, "relations", "kind,code,partner\nclient,K-1,B\n", **SIGNED)
    text = "kind,code,partner\nclient,K-1,B\nclient,K-2,B\nclient,K-3,direct\n"
    both = load(conn, "relations", text, **SIGNED)
    assert both.proposed[0] == one.proposed[0]
    assert both.proposed[1] == both.proposed[2] != one.proposed[0]
    assert approve(conn, both) == [0, 0]
    now = {code: partner for code, partner, *_ in records(conn)}
    assert now == {"K-1": "B", "K-2": "B", "K-3": None}


def test_a_rejected_move_never_happens(conn) -> None:
    load(conn, "relations", FIRST)
    report = load(conn, "relations", "kind,code,partner\nclient,K-1,B\n", **SIGNED)
    audit.reject(conn, report.proposed[0], "Boris")
    assert len(records(conn)) == 2


def test_a_gap_is_filled_without_a_second_person(conn) -> None:
    load(conn, "relations", "kind,code,partner,valid_from\nclient,K-1,A,2026-03-01\n")
    before = "kind,code,partner,valid_from,valid_to\nclient,K-1,B,2026-01-01,2026-03-01\n"
    assert counts(load(conn, "relations", before)) == {"added": 1}
    overlap = before.replace("2026-03-01", "2026-03-02")
    assert "is under A; to move to B" in reasons(load(conn, "relations", overlap))[2]


def test_what_was_replaced_entirely_can_be_put_back_on_purpose(conn) -> None:
    load(conn, "relations", FIRST)
    approve(conn, load(conn, "relations", "kind,code,partner\nclient,K-1,B\n", **SIGNED))
    silent = load(conn, "relations", FIRST)
    assert counts(silent) == {"same": 2}
    assert "repeat records that were replaced since, the first in line 2" in silent.notes[0]
    back = load(conn, "relations", FIRST, **SIGNED)
    assert counts(back) == {"same": 1, "proposed": 1}
    approve(conn, back)
    assert records(conn)[-1][:2] == ("K-1", "A")


def test_bad_rows_are_refused_with_what_to_do(conn) -> None:
    report = load(
        conn,
        "relations",
        """
        kind,code,partner,valid_from,valid_to
        client,K-9,A,,
        client,K-1,C,,
        client,K-1,root,,
        partner,C,A,,
        partner,A,A,,
        client,K-1,A,2026-03-01,2026-03-01
        client,K-2,A,,
        client,K-2,B,,
        client,K-3,Direct,,
        """,
    )
    said = reasons(report)
    assert "client 'K-9' is not known in entity main: load clients first" in said[2]
    assert "partner 'C' is not known" in said[3]
    assert "or write direct" in said[4]
    assert "partner 'C' is not known" in said[5]
    assert "own parent" in said[6]
    assert "valid_to is not after valid_from" in said[7]
    assert "client K-2 is placed under A and B (always) in one file (lines 8, 9)" in said[8]
    assert counts(report) == {"added": 1, "refused": 8}


def test_a_clients_file_hands_its_relations_on(conn) -> None:
    frame = pl.DataFrame(
        {"client": ["K-1", "K-2", "K-3"], "entity": ["main"] * 3, "partner": ["A", "direct", None],
         "valid_from": [1000, None, None], "line": [2, 3, 4]},
        schema_overrides={"line": pl.Int32, "valid_from": pl.Int64},
    )  # fmt: skip
    report = load_relations(conn, frame)
    assert counts(report) == {"added": 2}
    known = known_relations(conn, "client").select("above", "start", "end").rows()
    assert known == [(1, 1000, FOREVER_MS), (0, 0, FOREVER_MS)]


def test_in_bulk_most_rows_never_become_objects(conn) -> None:
    count = 30_000
    conn.execute(
        "INSERT INTO clients_client (entity_id, code)"
        " SELECT 1, 'C' || g FROM generate_series(1, %s) g",
        (count,),
    )
    frame = pl.DataFrame({
        "kind": "client", "code": [f"C{i + 1}" for i in range(count)], "entity": "main",
        "partner": ["A" if i % 2 else "B" for i in range(count)],
        "valid_from": [i % 7 * 1000 for i in range(count)],
        "valid_to": pl.Series([None] * count, dtype=pl.Int64),
        "line": pl.Series(range(count), dtype=pl.Int32),
    })  # fmt: skip
    assert counts(load_relations(conn, frame)) == {"added": count}
    assert counts(load_relations(conn, frame)) == {"same": count}
    moved = frame.with_columns(
        partner=pl.when(pl.col("line") < 12_000).then(pl.lit("direct")).otherwise("partner")
    )
    report = load_relations(conn, moved, **SIGNED)
    assert counts(report) == {"same": 18_000, "proposed": 12_000}
    assert len(set(report.proposed)) == 2
    approve(conn, report)
    assert counts(load_relations(conn, moved)) == {"same": count}


def test_the_application_cannot_rewrite_history(db) -> None:
    import psycopg

    with db.app() as conn:
        load(conn, "partners", "partner\nA\n")
    for table in ("partners_client", "partners_parent", "partners_status", "partners_go_live"):
        for attack in (f"DELETE FROM {table}", f"UPDATE {table} SET recorded_by = 'x'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), db.app() as conn:
                conn.execute(attack)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.app() as conn:
        conn.execute("UPDATE partners_partner SET currency = 'EUR'")
