"""Deals in the inbox: repeats, revisions, conflicts, touched positions."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from pipshare.facts import DEAL
from pipshare.inbox import store_deals

MONDAY, TUESDAY, WEDNESDAY = (1_790_000_000_000 + day * 86_400_000 for day in range(3))


@pytest.fixture
def conn(db):
    with db.app() as connection:
        yield connection


@pytest.fixture
def server(conn) -> int:
    return conn.execute(
        "INSERT INTO market_server (code, entity_id, platform) SELECT 'S', id, 'mt5' "
        "FROM market_entity RETURNING id"
    ).fetchone()[0]


def deal(number, **fields):
    plain = dict.fromkeys(DEAL, 0)
    return {**plain, "deal": number, "login": 5, "position": 9, "symbol": "EURUSD",
            "time_ms": MONDAY, "volume_e8": 100, "price_e8": 7, "reason": -1, **fields}  # fmt: skip


def bring(conn, server, *deals, name="a.csv", as_of=None):
    moment = None if as_of is None else datetime.fromtimestamp(as_of / 1000, UTC)
    batch = conn.execute(
        "WITH f AS (INSERT INTO inbox_file (server_id, digest, name, size, format, provenance, "
        "as_of, booked) VALUES (%s, '', %s, 1, 'x', 'operator', %s, true) RETURNING *) "
        "INSERT INTO inbox_batch (file_id, server_id, kind, count) "
        "SELECT id, server_id, 'deals', 1 FROM f RETURNING id",
        (server, name, moment),
    ).fetchone()[0]
    return store_deals(conn, server, pl.DataFrame(list(deals), schema=DEAL), batch, as_of)


def counts(intake):
    return intake.new, intake.revised, intake.repeated, intake.older


def test_every_field_is_kept(conn, server):
    numbers = {name: at + 2**40 for at, name in enumerate(DEAL) if DEAL[name] == pl.Int64}
    row = deal(1, **{**numbers, "symbol": ".USTEC", "action": 1, "entry": 3, "reason": 18})
    bring(conn, server, row)
    columns = ", ".join(f'"{name}"' for name in DEAL if name != "line")
    stored = conn.execute(f"SELECT {columns} FROM inbox_deal").fetchone()
    assert stored == tuple(value for name, value in row.items() if name != "line")


def test_repeats_change_nothing(conn, server):
    assert counts(bring(conn, server, deal(1), deal(2))) == (2, 0, 0, 0)
    # Details that only some exports carry, and cut milliseconds, are no other content.
    again = bring(
        conn,
        server,
        deal(1, bid_e8=5, ask_e8=6, contract_e8=9, order=3, reason=4),
        deal(2, time_ms=MONDAY + 999, symbol="eurusd", gateway_price_e8=1),
        deal(2),
    )
    assert counts(again) == (0, 0, 3, 0)
    assert not len(again.positions)


def test_an_export_without_closed_volume_does_not_contradict(conn, server):
    bring(conn, server, deal(1, entry=1, closed_e8=100))
    assert counts(bring(conn, server, deal(1, entry=1))) == (0, 0, 1, 0)


@pytest.mark.parametrize("change", [{"profit_e8": 1}, {"action": 14}, {"closed_e8": 50, "entry": 2},
                                    {"reason": 5}, {"login": 6}, {"position": 8}])  # fmt: skip
def test_newer_content_is_a_revision_and_touches_old_and_new_position(conn, server, change):
    bring(conn, server, deal(1, entry=1, reason=4), as_of=MONDAY)
    row = deal(1, **{"entry": 1, "reason": 4, **change})
    intake = bring(conn, server, row, name="b.csv", as_of=TUESDAY)
    assert counts(intake) == (0, 1, 0, 0)
    touched = set(intake.positions.select("login", "position").rows())
    assert touched == {(5, 9), (row["login"], row["position"])}
    assert set(intake.positions["undone"]) == {0}


def test_older_content_is_counted_and_nothing_else(conn, server):
    bring(conn, server, deal(1), as_of=TUESDAY)
    assert counts(bring(conn, server, deal(1, profit_e8=1), as_of=MONDAY)) == (0, 0, 0, 1)


def test_a_repeat_of_a_later_date_is_remembered(conn, server):
    bring(conn, server, deal(1), as_of=MONDAY)
    for _ in range(2):
        bring(conn, server, deal(1), as_of=WEDNESDAY)
    assert counts(bring(conn, server, deal(1, profit_e8=1), as_of=TUESDAY)) == (0, 0, 0, 1)
    assert conn.execute("SELECT count(*) FROM inbox_seen").fetchone() == (1,)


def test_without_dates_both_files_are_named(conn, server):
    bring(conn, server, deal(1), deal(2))
    (refusal,) = bring(conn, server, deal(1, volume_e8=7, line=4), deal(2), name="b.csv").conflicts
    assert (refusal.line, refusal.code) == (4, "conflict")
    for part in ("deal 1", "a.csv", "b.csv", "volume,", "--as-of"):
        assert part in refusal.reason


def test_one_file_that_contradicts_itself(conn, server):
    intake = bring(conn, server, deal(1, line=1), deal(1, line=2, profit_e8=3), deal(2))
    assert [(r.line, r.code) for r in intake.conflicts] == [(1, "contradiction"),
                                                            (2, "contradiction")]  # fmt: skip
    assert intake.new == 1


def test_balance_operations_touch_no_position(conn, server):
    intake = bring(conn, server, deal(1, action=2, position=0), deal(2, action=77))
    assert intake.new == 2
    assert not len(intake.positions)


def test_a_close_that_becomes_a_balance_operation_is_undone(conn, server):
    bring(conn, server, deal(1, action=1, entry=1), as_of=MONDAY)
    changed = deal(1, action=2, entry=0, position=0)
    intake = bring(conn, server, changed, as_of=TUESDAY)
    assert intake.positions.rows() == [(5, 9, 1)]


def test_few_deals_far_apart_among_many(conn, server):
    bring(conn, server, *[deal(number) for number in range(1, 3000)])
    intake = bring(conn, server, deal(1), deal(2999), deal(1500, profit_e8=3), deal(9999))
    assert (intake.repeated, intake.new, len(intake.conflicts)) == (2, 1, 1)


def test_no_deals(conn, server):
    assert counts(bring(conn, server)) == (0, 0, 0, 0)
