"""Clicks are stored, found and counted; of an address only a digest of its day is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare import inbox
from pipshare.facts.clicks import BOT, PREFETCH, Click, click_id, click_ms, first_id, is_click_id

T = 1_764_000_000_123
DAY = 24 * 3600 * 1000


def click(n: int, at_ms: int = T, **more: Any) -> Click:
    return Click(click_id(at_ms, n.to_bytes(10, "big")), **{"link_id": 1, "partner_id": 7, **more})


@given(st.lists(st.tuples(st.integers(0, 2**48 - 1), st.integers(0, 2**80 - 1)), max_size=9))
def test_ids_sort_by_time_and_hold_it(made: list[tuple[int, int]]) -> None:
    ids = [click_id(at, random.to_bytes(10, "big")) for at, random in made]
    assert [click_ms(id_) for id_ in ids] == [at for at, _ in made]
    assert [made[ids.index(id_)] for id_ in sorted(ids)] == sorted(made)
    for (at, _), id_ in zip(made, ids, strict=True):
        assert is_click_id(id_)
        assert first_id(at) <= id_


@pytest.mark.parametrize("text", ["", "x" * 26, "0" * 25, "0" * 27, "A" * 26, "0" * 25 + "\n"])
def test_what_is_no_id(text: str) -> None:
    assert not is_click_id(text)


def test_clicks_come_out_as_they_went_in(db: Any) -> None:
    stored = [
        click(1, subs=("a", "é\"\\'", "", "\n", "😀"), country="TH", agent="Mozilla", referrer="x",
              visitor="v", landing_id=3, target="https://a.example/", kind=BOT),
        click(2, refused="bad_host", is_archived=True, visitor="v"),
    ]  # fmt: skip
    with db.app() as conn:
        inbox.store_clicks(conn, stored)
        assert inbox.clicks_of(conn, [*(one.id for one in stored), "0" * 26]) == {
            one.id: one for one in stored
        }
        row = conn.execute("SELECT extract(epoch FROM at) * 1000 FROM inbox_click").fetchone()
        assert int(row[0]) == T
        assert inbox.clicks_of_visitors(conn, ["v", ""]) == {"v": stored}
        assert inbox.clicks_of_visitors(conn, ["v"], T + 1) == {}
        assert inbox.clicks_of_visitors(conn, ["v"], T, T + 1) == {"v": stored}


def test_clicks_are_counted_by_link_and_kind(db: Any) -> None:
    with db.app() as conn:
        inbox.store_clicks(conn, [
            click(1), click(2), click(3, kind=BOT), click(4, kind=PREFETCH),
            click(5, link_id=2, partner_id=8), click(6, T + DAY),
        ])  # fmt: skip
        assert inbox.count_clicks(conn, T, T + 1).rows() == [(1, 7, 2, 1, 1), (2, 8, 1, 0, 0)]
        assert inbox.count_clicks(conn, 0, 2**42, [8]).rows() == [(2, 8, 1, 0, 0)]


def test_an_address_is_a_digest_of_its_day(db: Any) -> None:
    four, six = "203.0.113.9", "2001:db8::1"
    with db.app() as conn:
        inbox.store_clicks(conn, [click(1), click(2), click(3), click(4), click(5, T + DAY)],
                           [four, four, six, "", four])  # fmt: skip
        found = inbox.clicks_of(conn, [click(n).id for n in (1, 2, 3, 4)] + [click(5, T + DAY).id])
        digests = [one.address for one in sorted(found.values(), key=lambda one: one.id)]
        assert digests[0] == digests[1] != digests[2]
        assert digests[3] == b""
        assert digests[4] not in digests[:4]
        assert [len(one) for one in digests] == [32, 32, 32, 0, 32]
        everything = str(conn.execute("SELECT c::text FROM inbox_click c").fetchall())
        assert "203.0" not in everything
        assert "2001:db8" not in everything


def test_salts_are_forgotten_after_a_month(db: Any) -> None:
    with db.app() as conn:
        for days in (0, 1, 30, 31, 32):
            inbox.store_clicks(conn, [click(1, T + days * DAY)], ["203.0.113.9"])
        count = conn.execute("SELECT count(*), min(day)::text FROM inbox_salt").fetchone()
    assert count == (3, "2025-12-24")
