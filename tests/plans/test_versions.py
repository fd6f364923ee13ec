"""Programmes recorded as versions: applied, compared, given back, and in force over time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from pipshare import plans
from pipshare.errors import BadInput, Missing

DAY = 86_400_000
NOV, DEC, JAN = 1_793_491_200_000, 1_796_083_200_000, 1_798_761_600_000  # 2026-11, -12, 2027-01
PLAN = """[programme]
code = "std"
currency = "USD"
{head}
[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
amount = "{amount}"
[[component.rate]]
level = 2
amount = "1/3"
{more}
"""


def plan(amount: str = "6.50", head: str = "", more: str = "") -> str:
    return PLAN.format(amount=amount, head=head, more=more)


def apply(db, text: str) -> plans.ApplyReport:
    with db.app() as conn:
        return plans.apply(conn, text, "std.toml", "ann")


def test_apply_once_twice_and_changed(db) -> None:
    first = apply(db, plan())
    assert (first.code, first.number, first.changed, first.from_ms) == ("std", 1, True, None)
    assert first.differences == ["+ programme std, valid from always"]
    again = apply(db, plan().replace("\n", "\r\n"))
    assert (again.number, again.changed, again.from_ms) == (1, False, None)
    second = apply(db, plan("7", "valid_from = 2026-11-01"))
    assert (second.number, second.changed, second.from_ms) == (2, True, NOV)
    assert second.programme_id == first.programme_id
    assert second.differences == [
        "  component lots",
        "~   any card, level 1: 6.50 USD per lot -> 7.00 USD per lot",
    ]
    back = apply(db, plan())
    assert (back.number, back.changed, back.from_ms) == (3, True, 0)
    assert "deals made by a dealer pay in lots" in back.notes[0]
    assert back.notes[1:] == [
        "version 2, valid from 2026-11-01T00:00:00+00:00, is replaced as well: this one holds "
        "from always on"
    ]
    with db.app() as conn:
        assert plans.export(conn, "std") == plan()
        assert plans.export(conn, "std", 2) == plan("7", "valid_from = 2026-11-01")
        with pytest.raises(Missing, match="has the versions 1 to 3, not 4"):
            plans.export(conn, "std", 4)
        with pytest.raises(Missing, match='no programme sdt; did you mean "std"'):
            plans.export(conn, "sdt")
        events = conn.execute("SELECT actor, subject FROM audit_event ORDER BY id").fetchall()
    assert events == [("ann", f"programme std version {n}") for n in (1, 2, 3)]


def test_the_version_recorded_last_of_those_begun_is_in_force(db) -> None:
    for amount, head in [
        ("1", "valid_from = 2026-11-01"),
        ("2", "valid_from = 2027-01-01"),
        ("3", "valid_from = 2026-12-01"),
    ]:
        apply(db, plan(amount, head))
    with db.app() as conn:
        book = plans.book(conn)
        (row,) = plans.programmes(conn)
    moments = np.array([NOV - 1, NOV, DEC - 1, DEC, JAN + DAY], np.int64)
    found = book.version_at(np.full(5, row.id), moments)
    numbers = [book.versions[v].number if v >= 0 else None for v in found]
    assert numbers == [None, 1, 1, 3, 3]
    in_force = [row.in_force(int(moment)) for moment in moments]
    assert [v.number if v else None for v in in_force] == numbers
    assert book.version_at(np.array([row.id + 1]), moments[:1]).tolist() == [-1]


def test_ids_of_components_stay_and_those_of_rates_do_not(db) -> None:
    apply(db, plan())
    more = '[[component]]\ncode = "top"\nbasis = "lot"\nmode = "override"\n'
    more += '[[component.rate]]\nlevel = 2\nshare = "10%"\nof = "lots"\n'
    apply(db, plan("7", more=more))
    with db.app() as conn:
        one, two = plans.book(conn).versions
        rows = conn.execute(
            "SELECT r.id, c.code, r.ordinal, v.number FROM plans_rate r"
            " JOIN plans_component c ON c.id = r.component_id"
            " JOIN plans_version v ON v.id = r.version_id"
        ).fetchall()
    assert one.component_ids == two.component_ids[:1]
    assert [len(ids) for ids in two.rate_ids] == [2, 1]
    named = {row[0]: row[1:] for row in rows}
    assert [named[n] for n in one.rate_ids[0]] == [("lots", 0, 1), ("lots", 1, 1)]
    assert [named[n] for n in two.rate_ids[0]] == [("lots", 0, 2), ("lots", 1, 2)]
    assert [named[n] for n in two.rate_ids[1]] == [("top", 0, 2)]
    assert one.programme.components[0].rates[1].amount == Fraction(1, 3)


def test_a_date_begins_with_the_day_of_the_entity(db) -> None:
    with db.owner() as conn:
        conn.execute("INSERT INTO market_entity (code, clock) VALUES ('cy', 'America/New_York+7h')")
    report = apply(db, plan(head='entity = "cy"\nvalid_from = 2026-07-01'))
    assert report.programme.valid_from_ms == 1_782_853_200_000  # 2026-06-30 21:00 UTC
    with db.app() as conn:
        (row,) = plans.programmes(conn)
        assert (row.entity, row.versions[0].valid_from_ms) == ("cy", 1_782_853_200_000)
        assert plans.programme(conn, "std", "cy").id == row.id
        with pytest.raises(Missing, match="no programme std in entity main"):
            plans.programme(conn, "std", "main")
    apply(db, plan())
    with db.app() as conn, pytest.raises(BadInput, match="in several entities: cy, main"):
        plans.export(conn, "std")


def test_an_unknown_entity_is_refused_at_its_line(db) -> None:
    with db.app() as conn, pytest.raises(plans.BadPlan) as caught:
        plans.check(plan(head='\nentity = "mian"'), "std.toml", conn)
    assert caught.value.message == (
        'std.toml:5: entity "mian" is not known; did you mean "main"? known: main; new ones come '
        "with `pipshare load entities`"
    )


def test_a_bad_file_writes_nothing(db) -> None:
    with db.app() as conn, pytest.raises(plans.BadPlan):
        plans.apply(conn, plan("x"), "std.toml", "ann")
    with db.app() as conn:
        assert plans.programmes(conn) == []
        assert plans.book(conn).versions == ()


def test_diff_writes_nothing_and_compares_with_what_is_in_force(db) -> None:
    with db.app() as conn:
        assert plans.diff(conn, plan()) == ["+ programme std, valid from always"]
    apply(db, plan())
    apply(db, plan("9", "valid_from = 2100-01-01"))
    with db.app() as conn:
        assert plans.diff(conn, plan()) == []
        later = plans.diff(conn, plan(head="valid_from = 2101-01-01"))
        assert later[1:] == ["~   any card, level 1: 9.00 USD per lot -> 6.50 USD per lot"]
        assert len(plans.programmes(conn)[0].versions) == 2


def known_symbols(db, *rows: tuple[str, str]) -> None:
    with db.owner() as conn:
        for row in rows:
            conn.execute("INSERT INTO market_symbol (symbol, symbol_group) VALUES (%s, %s)", row)


def test_doubtful_names_are_notes(db) -> None:
    known_symbols(db, ("EURUSD", "forex"))
    more = (
        '[[component.rate]]\nsymbol = "eurusd"\namount = 1\nlevel = 1\n'
        '[[component.rate]]\nsymbol = "EURUSB"\namount = 1\nlevel = 1\n'
        '[[component.rate]]\nsymbol_group = "Forex"\namount = 1\nlevel = 1\ncurrency = "USB"\n'
    )
    with db.app() as conn:
        notes = plans.check(plan(more=more), "std.toml", conn).notes
    assert [note.split(" is nowhere")[0] for note in notes[:2]] == [
        'std.toml:19: symbol "EURUSB"',
        'std.toml:23: currency "USB"',
    ]
    assert 'did you mean "EURUSD"?' in notes[0]
    assert plans.check(plan(more=more), "std.toml").notes == []


def test_an_unknown_symbol_group_is_refused_once_symbols_are_loaded(db) -> None:
    more = '[[component.rate]]\nlevel = 1\nsymbol_group = "forx"\namount = 1\n' * 2
    more = more.replace("level = 1", "level = 2", 1)
    with db.app() as conn:
        assert plans.check(plan(more=more), "std.toml", conn).programme.code == "std"
    known_symbols(db, ("XAUUSD", ""))
    with db.app() as conn, pytest.raises(plans.BadPlan, match="no symbol has a group; groups come"):
        plans.check(plan(more=more), "std.toml", conn)
    known_symbols(db, ("EURUSD", "forex"))
    with db.app() as conn, pytest.raises(plans.BadPlan) as caught:
        plans.apply(conn, plan(more=more), "std.toml", "ann")
    assert caught.value.message == (
        'std.toml:15: symbol group "forx" is unknown: no symbol here is in it; did you mean '
        '"forex"? groups come with `pipshare load symbols`'
    )


def test_that_a_dealer_pays_is_noted_until_he_is_excluded(db) -> None:
    text = plan(more='[component.when]\nexcluded_reasons = ["dealer", "transfer"]\n')
    with db.app() as conn:
        assert plans.check(text, "std.toml", conn).notes == []
        (note,) = plans.check(plan(), "std.toml", conn).notes
    assert note.startswith("std.toml: deals made by a dealer pay in lots, as copied client trades")


def test_two_people_applying_at_once_get_two_numbers(db) -> None:
    one, two = db.app(), db.app(lock_timeout="200ms")
    plans.apply(one, plan(), "a.toml", "ann")
    with pytest.raises(Exception, match="lock timeout"):
        plans.apply(two, plan("7"), "b.toml", "bob")
    two.rollback()
    one.commit()
    assert plans.apply(two, plan("7"), "b.toml", "bob").number == 2
    two.commit()
    one.close()
    two.close()
