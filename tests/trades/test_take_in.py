"""Taking trades in, against the database: repeats, revisions, conflicts, waiting, two at once."""

from __future__ import annotations

import threading

import numpy as np
import polars as pl
import pytest
from trade_worlds import LOT, NOON, count, new_batch, new_server, server_of, trade, trades

from pipshare.errors import Unavailable
from pipshare.trades import SETTLED, read, take_in

MONDAY, TUESDAY, WEDNESDAY = NOON, NOON + 86_400_000, NOON + 2 * 86_400_000


@pytest.fixture
def conn(db):
    with db.app() as connection:
        yield connection


@pytest.fixture
def server(conn):
    return new_server(conn)


def take(conn, server, *rows, name="a.csv", as_of=None, **options):
    """Take rows in from a file of that name and moment."""
    return take_in(conn, server, trades(*rows), new_batch(conn, server, name, as_of), as_of,
                   **options)  # fmt: skip


def test_fresh_trades_are_settled_with_utc(conn, server):
    intake = take(conn, server, trade(7), trade(3, symbol="xauusd.p", line=4))
    assert (intake.new, intake.revised, intake.repeated, intake.older) == (2, 0, 0, 0)
    settled = intake.settled
    assert settled.schema == pl.Schema(SETTLED)
    assert settled["ticket"].to_list() == [3, 7]
    assert settled["close_utc"].to_list() == [NOON - 7_200_000] * 2
    assert settled["revision"].to_list() == [1, 1]
    assert settled["state"].to_list() == [1, 1]
    assert settled["server_id"].to_list() == [server.id] * 2
    assert read(conn, server.id).drop("line").equals(settled.drop("line"))


def test_the_same_again_changes_nothing(conn, server):
    rows = [trade(t) for t in range(1, 30)]
    take(conn, server, *rows)
    again = take(conn, server, *reversed(rows), name="b.csv")
    assert (again.new, again.revised, again.repeated) == (0, 0, 29)
    assert not len(again.settled)
    assert count(conn, "trades_trade") == 29


def test_what_no_commission_depends_on_is_no_revision(conn, server):
    take(conn, server, trade(1, close_ms=NOON + 123, reason=4))
    for other in (
        trade(1, close_ms=NOON + 900, reason=4),
        trade(1, close_ms=NOON + 123, symbol="eurusd", reason=4),
        trade(1, close_ms=NOON + 123),  # a file that does not tell the reason
        trade(1, close_ms=NOON + 123, reason=4, rate_profit_e8=0, contract_e8=0, line=9),
    ):
        assert take(conn, server, other).repeated == 1
    assert count(conn, "trades_trade") == 1


@pytest.mark.parametrize(
    "change",
    [{"lots_e8": 2 * LOT}, {"profit_e8": 1}, {"login": 9}, {"commission_e8": 0}, {"reason": 5},
     {"state": 0}, {"symbol": "GBPUSD"}, {"open_ms": NOON - 1000}, {"side": -1}],
)  # fmt: skip
def test_other_content_of_a_newer_file_is_a_revision(conn, server, change):
    take(conn, server, trade(1, reason=4), as_of=MONDAY)
    changed = {"reason": 4, **change}
    intake = take(conn, server, trade(1, **changed), name="b.csv", as_of=TUESDAY)
    assert (intake.new, intake.revised) == (0, 1)
    assert intake.settled["revision"].to_list() == [2]
    for name, value in change.items():
        assert read(conn, server.id)[name].to_list() == [value]


def test_an_older_file_changes_nothing(conn, server):
    take(conn, server, trade(1), as_of=TUESDAY)
    intake = take(conn, server, trade(1, lots_e8=5), name="b.csv", as_of=MONDAY)
    assert (intake.older, intake.revised, len(intake.conflicts)) == (1, 0, 0)
    assert read(conn, server.id)["lots_e8"].to_list() == [LOT]


@pytest.mark.parametrize(("first", "second"), [(None, None), (MONDAY, None), (None, MONDAY),
                                               (MONDAY, MONDAY)])  # fmt: skip
def test_when_nobody_knows_which_is_newer_both_files_are_named(conn, server, first, second):
    take(conn, server, trade(1), trade(2), as_of=first)
    intake = take(conn, server, trade(1, lots_e8=5, line=8), trade(2), name="b.csv", as_of=second)
    (refusal,) = intake.conflicts
    assert (refusal.line, refusal.code) == (8, "conflict")
    for part in ("ticket 1", "a.csv", "b.csv", "lots,", "--as-of"):
        assert part in refusal.reason
    assert intake.repeated == 1
    assert read(conn, server.id)["lots_e8"].to_list() == [LOT, LOT]


def test_any_order_of_dated_files_ends_the_same(conn, server):
    """A repeat of Wednesday keeps a file of Tuesday from revising what Monday brought."""
    monday, tuesday = trade(1), trade(1, lots_e8=5)
    files = [(MONDAY, monday), (TUESDAY, tuesday), (WEDNESDAY, monday)]
    for number, order in enumerate(((0, 1, 2), (0, 2, 1), (2, 0, 1), (1, 2, 0), (2, 1, 0))):
        other = new_server(conn, f"S{number}")
        for which in order:
            as_of, row = files[which]
            take(conn, other, row, name=f"{which}.csv", as_of=as_of)
        assert read(conn, other.id)["lots_e8"].to_list() == [LOT], order


def test_a_dated_repeat_is_remembered_once(conn, server):
    take(conn, server, trade(1), as_of=MONDAY)
    for _ in range(3):
        take(conn, server, trade(1), as_of=TUESDAY)
    assert count(conn, "trades_seen") == 1


def test_a_live_connection_tells_of_when_it_came(conn, server):
    batch = conn.execute("INSERT INTO inbox_batch (server_id, kind, count) VALUES (%s, 'live', 1) "
                         "RETURNING id", (server.id,)).fetchone()[0]  # fmt: skip
    take_in(conn, server, trades(trade(1)), batch, None)
    now = 2_000_000_000_000
    assert take(conn, server, trade(1, lots_e8=3), as_of=MONDAY).older == 1
    assert take(conn, server, trade(1, lots_e8=3), as_of=now).revised == 1


def test_one_file_that_contradicts_itself(conn, server):
    intake = take(conn, server, trade(1, line=1), trade(1, line=2, lots_e8=5), trade(2, line=3),
                  trade(2, line=4))  # fmt: skip
    assert [(r.line, r.code) for r in intake.conflicts] == [(1, "contradiction"),
                                                            (2, "contradiction")]  # fmt: skip
    assert (intake.new, intake.repeated) == (1, 1)


def test_a_row_that_cannot_be_stored_does_not_stop_the_others(conn, server):
    intake = take(conn, server, trade(1, close_ms=2**62, line=5), trade(2), trade(3, lots_e8=-1))
    assert [r.code for r in intake.conflicts] == ["bad_trade", "bad_trade"]
    assert intake.settled["ticket"].to_list() == [2]


def test_amounts_at_the_edge_of_64_bits(conn, server):
    big = 2**63 - 1
    row = trade(big, login=big, lots_e8=big, profit_e8=-big, commission_e8=big, swap_e8=-big)
    take(conn, server, row)
    assert take(conn, server, row).repeated == 1
    back = read(conn, server.id, tickets=[big]).row(0, named=True)
    assert {name: back[name] for name in row} == row


# --- waiting for the opening ------------------------------------------------------------------


def unknown(ticket, **fields):
    """A closing whose opening is not known."""
    return trade(
        ticket, opening=0, open_ms=0, open_price_e8=0, commission_e8=0, position=77, **fields
    )


def waiting(conn):
    return conn.execute("SELECT ticket, reason, key FROM trades_waiting ORDER BY 1").fetchall()


def test_an_unknown_opening_waits_apart(conn, server):
    intake = take(conn, server, unknown(1), trade(2))
    assert intake.settled["ticket"].to_list() == [2]
    assert intake.opening_unknown["ticket"].to_list() == [1]
    assert (intake.new, intake.waiting) == (2, 1)
    assert waiting(conn) == [(1, "opening_unknown", "77")]


def test_a_later_opening_completes_the_trade_without_any_date(conn, server):
    take(conn, server, unknown(1))
    intake = take(conn, server, trade(1, position=77), name="b.csv")
    assert (intake.revised, intake.conflicts) == (1, [])
    assert intake.settled["revision"].to_list() == [2]
    assert waiting(conn) == []
    # Who knows less afterwards does not contradict.
    assert take(conn, server, unknown(1), name="c.csv").repeated == 1


def test_an_unknown_opening_with_another_close_does_contradict(conn, server):
    take(conn, server, unknown(1))
    assert len(take(conn, server, trade(1, profit_e8=5), name="b.csv").conflicts) == 1


def test_unknown_volume_waits_and_is_never_paid(conn, server):
    intake = take(conn, server, unknown(1, lots_e8=0), judged=True)
    assert (len(intake.settled), len(intake.opening_unknown), intake.waiting) == (0, 0, 1)
    assert waiting(conn) == [(1, "volume_unknown", "77")]


def test_a_cancelled_trade_waits_for_nothing(conn, server):
    take(conn, server, unknown(1), judged=True)
    intake = take(conn, server, unknown(1, state=0), judged=True)
    assert intake.settled["state"].to_list() == [0]
    assert waiting(conn) == []
    assert take(conn, server, unknown(1, state=0), judged=True).repeated == 1


def test_judged_trades_need_no_date(conn, server):
    take(conn, server, trade(1, position=5), judged=True)
    assert take(conn, server, trade(1, position=6), judged=True).revised == 1
    assert take(conn, server, trade(1, position=6, kind=1), judged=True).revised == 1
    assert take(conn, server, trade(1, position=6, kind=1), judged=True).repeated == 1


# --- time ---------------------------------------------------------------------------------------


def test_the_clock_of_the_day_gives_utc(conn, server):
    moved = server_of(server.id, (0, "+02:00"), (NOON, "+03:00"))
    hour = 3_600_000
    walls = [NOON, NOON + 2 * hour - 1, NOON + 2 * hour + 1, NOON + 3 * hour, NOON + 4 * hour]
    intake = take(conn, moved, *[trade(i + 1, close_ms=wall) for i, wall in enumerate(walls)])
    # The hour that the change skipped is read by the clock before it.
    expected = [NOON - 2 * hour, NOON - 1, NOON + 1, NOON, NOON + hour]
    assert intake.settled["close_utc"].to_list() == expected


# --- many tickets, many processes ---------------------------------------------------------------


def test_few_tickets_far_apart_among_many(conn, server):
    take(conn, server, *[trade(t) for t in range(1, 5000)])
    intake = take(conn, server, trade(1), trade(4999), trade(2500, lots_e8=3), trade(9999))
    assert (intake.repeated, intake.new, len(intake.conflicts)) == (2, 1, 1)


def test_two_processes_with_the_same_frame_store_it_once(db):
    with db.app() as conn:
        server = new_server(conn)
        batches = [new_batch(conn, server, name) for name in ("a.csv", "b.csv")]
    frame = trades(*[trade(t) for t in range(1, 2001)])
    start, found = threading.Barrier(2), []

    def run(batch: int) -> None:
        with db.app() as conn:
            start.wait()
            intake = take_in(conn, server, frame, batch, None)
            found.append((intake.new, intake.repeated, len(intake.settled)))

    threads = [threading.Thread(target=run, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(0, 2000, 0), (2000, 0, 2000)]
    with db.app() as conn:
        assert count(conn, "trades_trade") == 2000


def test_a_locked_server_is_unavailable_not_broken(db):
    with db.app() as conn, db.app(lock_timeout="50ms") as other:
        server = new_server(conn)
        batch = new_batch(conn, server)
        conn.commit()
        take_in(conn, server, trades(trade(1)), batch, None)
        with pytest.raises(Unavailable, match="another process"):
            take_in(other, server, trades(trade(1)), batch, None)
        other.rollback()


# --- reading back ---------------------------------------------------------------------------------


def test_read_by_chunks_conditions_and_only_what_is_current(conn, server):
    rows = [trade(t, login=t % 3, close_ms=NOON + t * 1000) for t in range(1, 101)]
    take(conn, server, *rows, as_of=MONDAY)
    take(conn, server, trade(50, login=7, close_ms=NOON + 999_000), as_of=TUESDAY)
    seen, after = [], 0
    while len(chunk := read(conn, server.id, after_ticket=after, limit=30)):
        seen += chunk["ticket"].to_list()
        after = int(chunk["ticket"][-1])
    assert seen == list(range(1, 101))
    assert read(conn, server.id, logins=[7])["revision"].to_list() == [2]
    utc = NOON - 7_200_000
    window = read(conn, server.id, close_from_ms=utc + 49_000, close_to_ms=utc + 52_000)
    assert window["ticket"].to_list() == [49, 51]
    assert read(conn, server.id, tickets=np.array([3, 4]), logins=[0])["ticket"].to_list() == [3]
    assert read(conn, server.id + 1).schema == pl.Schema(SETTLED)
