"""Who takes part: terms loaded, proposed and approved, and looked up over time."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import polars as pl
import pytest

from pipshare import audit, plans
from pipshare.errors import Conflict
from pipshare.facts.reading import read_table

NOV, DEC = 1_793_491_200_000, 1_796_083_200_000
PLAN = """[programme]
code = "{code}"
currency = "USD"
[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
rate = [{{ level = 1, amount = "5" }}, {{ card = "gold", level = 1, amount = "6" }}]
"""


@pytest.fixture
def house(db):
    """A database with programmes a and b, and partners p1 to p4."""
    with db.app() as conn:
        plans.apply(conn, PLAN.format(code="alpha"), "a.toml", "ann")
        plans.apply(conn, PLAN.format(code="beta"), "b.toml", "ann")
        for number in range(1, 5):
            conn.execute(
                "INSERT INTO partners_partner (entity_id, code) VALUES (1, %s)", (f"p{number}",)
            )
    return db


def load(db, text: str, by: str = "", reason: str = ""):
    frame, refused = read_table(text.encode(), "terms")
    assert refused == []
    with db.app() as conn:
        return plans.load_terms(conn, frame, by=by, reason=reason)


def held(db, *moments: int) -> dict[str, list[str]]:
    """What each partner's terms say at some moments."""
    with db.app() as conn:
        book = plans.book(conn)
        codes = {row.id: row.code for row in plans.programmes(conn)}
        people = conn.execute("SELECT code, id FROM partners_partner ORDER BY id").fetchall()
    said = {}
    for code, number in people:
        found = book.terms_at(np.full(len(moments), number), np.array(moments, np.int64))
        terms = [book.terms[t] if t >= 0 else None for t in found]
        said[code] = [
            "-" if t is None else f"{codes.get(t.programme_id or 0, 'none')}/{t.card}"
            for t in terms
        ]
    return said


FIRST = "partner,programme,card,valid_from\np1,alpha,,\np2,beta,gold,2026-11-01\np3,None,,\n"


def test_first_terms_hold_at_once_and_again_change_nothing(house) -> None:
    report = load(house, FIRST)
    assert (report.kind, report.rows, report.added, report.same) == ("terms", 3, 3, 0)
    assert (report.refused, report.proposed, report.from_ms) == ([], [], None)
    expected = {
        "p1": ["alpha/standard"] * 2, "p2": ["-", "beta/gold"], "p3": ["none/standard"] * 2,
        "p4": ["-", "-"],
    }  # fmt: skip
    assert held(house, NOV - 1, NOV) == expected
    again = load(house, FIRST)
    assert (again.added, again.same, again.refused) == (0, 3, [])
    assert held(house, NOV - 1, NOV) == expected
    with house.app() as conn:
        row = conn.execute("SELECT count(*) FROM plans_terms").fetchone()
    assert row == (3,)


def test_wrong_rows_are_refused_and_the_others_kept(house) -> None:
    report = load(
        house,
        "partner,programme,card,valid_from,valid_to,entity\n"
        "p9,alpha,,,,\np1,alhpa,,,,\np1,gamma,,,,\np2,alpha,golden,,,\np3,alpha,,2026-12-01,2026-11-01,\n"
        "p1,alpha,,,,cy\np4,alpha,,,,\np1,none,golden,,,\n",
    )
    assert report.added == 2
    assert [(r.line, r.code) for r in report.refused] == [
        (2, "unknown_partner"), (3, "unknown_programme"), (4, "unknown_programme"),
        (5, "unknown_card"), (6, "empty_span"), (7, "unknown_partner"),
    ]  # fmt: skip
    reasons = [r.reason for r in report.refused]
    assert reasons[0].startswith("line 2, field partner: no partner 'p9' in entity main")
    assert "no programme 'alhpa' in entity main (did you mean alpha?)" in reasons[1]
    assert "; known: alpha, beta; `pipshare plan apply` brings one" in reasons[2]
    assert "programme alpha has no rate for the card 'golden' (did you mean gold?)" in reasons[3]
    assert reasons[3].endswith("it has: gold, standard")
    assert report.rows == report.added + report.same + len(report.refused)


def test_a_change_needs_two_people(house) -> None:
    load(house, FIRST)
    change = "partner,programme,card,valid_from\np1,beta,gold,2026-12-01\np2,none,,\n"
    alone = load(house, change)
    assert [r.code for r in alone.refused] == ["needs_second_person"] * 2
    assert "partner p1 has the terms alpha, card standard; to change to beta, card gold" in (
        alone.refused[0].reason
    )
    asked = load(house, change, "ann", "new deal")
    assert len(asked.proposed) == asked.rows == 2
    assert held(house, DEC) == held(house, NOV) | {"p2": ["beta/gold"]}
    number = asked.proposed[0]
    assert set(asked.proposed) == {number}
    assert load(house, change, "ann", "new deal").proposed == asked.proposed
    with house.app() as conn:
        (waiting,) = audit.pending(conn)
        assert waiting.subject == (
            "terms of partner p1: alpha, card standard -> beta, card gold, from 2026-12-01, "
            "and 1 more"
        )
        with pytest.raises(Conflict):
            audit.approve(conn, number, "Ann ", plans.APPLIERS)
    with house.app() as conn:
        outcome = audit.approve(conn, number, "bob", plans.APPLIERS).outcome
    assert (outcome.changed, outcome.from_ms) == (2, 0)
    assert held(house, NOV, DEC) == {
        "p1": ["alpha/standard", "beta/gold"], "p2": ["none/standard"] * 2,
        "p3": ["none/standard"] * 2, "p4": ["-", "-"],
    }  # fmt: skip
    with house.app() as conn:
        rows = conn.execute(
            "SELECT recorded_by, reason FROM plans_terms ORDER BY id DESC LIMIT 1"
        ).fetchall()
    assert rows == [("ann + bob", "new deal")]


def test_an_old_file_again_puts_nothing_back_by_itself(house) -> None:
    load(house, FIRST)
    change = "partner,programme\np1,beta\n"
    (number,) = load(house, change, "ann", "new deal").proposed
    with house.app() as conn:
        audit.approve(conn, number, "bob", plans.APPLIERS)
    again = load(house, FIRST)
    assert (again.same, again.refused) == (3, [])
    assert "line 2: recorded before, and replaced since" in again.notes[0]
    assert held(house, NOV)["p1"] == ["beta/standard"]
    (number,) = load(house, FIRST, "ann", "a mistake").proposed
    with house.app() as conn:
        audit.approve(conn, number, "bob", plans.APPLIERS)
    assert held(house, NOV)["p1"] == ["alpha/standard"]


def test_contradictions_in_one_file_are_refused_together(house) -> None:
    report = load(house, "partner,programme\np1,alpha\np1,beta\np2,alpha\np2,alpha\n")
    assert [(r.line, r.code) for r in report.refused] == [(2, "contradicts"), (3, "contradicts")]
    assert "in one file (lines 2, 3): keep one" in report.refused[0].reason
    assert (report.added, report.same) == (1, 1)


def test_a_history_in_one_file_is_taken_whole(house) -> None:
    text = "partner,programme,valid_from,valid_to\np1,beta,2026-11-01,2026-12-01\np1,alpha,,\n"
    assert load(house, text).added == 2
    assert held(house, NOV - 1, NOV, DEC)["p1"] == [
        "alpha/standard", "beta/standard", "alpha/standard"]  # fmt: skip
    assert load(house, text).same == 2


def test_a_card_that_a_new_version_drops_is_noted(house) -> None:
    load(house, FIRST)
    text = PLAN.format(code="beta").replace('"gold"', '"silver"')
    with house.app() as conn:
        notes = plans.check(text, "b.toml", conn).notes
    assert notes[:-1] == [  # the last one is about dealers
        'b.toml: card "gold" of 1 partner(s) has no rate here: only rates for any card apply'
    ]


@pytest.mark.parametrize("times", [2])
def test_thirteen_thousand_rows_take_seconds(house, times: int) -> None:
    count = 13_000
    with house.app() as conn:
        conn.execute(
            "INSERT INTO partners_partner (entity_id, code)"
            " SELECT 1, 'ib' || n FROM generate_series(1, %s) AS n", (count,)
        )  # fmt: skip
    text = "partner,programme,card\n" + "".join(
        f"ib{n},{'alpha' if n % 3 else 'none'},{'gold' if n % 2 else ''}\n"
        for n in range(1, count + 1)
    )
    for again in range(times):
        started = perf_counter()
        report = load(house, text)
        assert perf_counter() - started < 8
        assert (report.added, report.same) == ((0, count) if again else (count, 0))
    with house.app() as conn:
        terms = plans.book(conn)
    assert len(terms.terms) == count


def test_rolled_back_is_a_dry_run(house) -> None:
    frame, _ = read_table(FIRST.encode(), "terms")
    conn = house.app()
    assert plans.load_terms(conn, frame, dry_run=True).added == 3
    conn.rollback()
    assert plans.load_terms(conn, frame).added == 3
    conn.close()


def test_an_empty_file_is_no_error(house) -> None:
    frame = read_table(FIRST.encode(), "terms")[0].clear()
    assert isinstance(frame, pl.DataFrame)
    with house.app() as conn:
        assert plans.load_terms(conn, frame).rows == 0
