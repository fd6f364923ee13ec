"""Files in the inbox: once, whole, and the rows that were refused."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass

import polars as pl
import pytest

from pipshare import inbox
from pipshare.errors import BadInput, Missing
from pipshare.facts import CASH, Refusal
from pipshare.inbox import receive


@dataclass(frozen=True)
class Meta:
    """What a source says of a file, as far as the inbox asks."""

    format: str = "mapped"
    encoding: str = "utf-8"
    provenance: str = "operator"


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


def bring(conn, server, source, **options):
    told = {"trust": "", "as_of_ms": None, "by": "anna", "booked": True, **options}
    return inbox.receive_file(conn, server, source, Meta(), **told)


def rows(conn, table):
    return conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_a_file_is_stored_as_it_came(conn, server, tmp_path, monkeypatch):
    monkeypatch.setattr(receive, "PART", 1000)
    path = tmp_path / "deals.csv"
    path.write_bytes(os.urandom(2500) + b"\0\r\n" + b"a" * 1000)
    file_id = bring(conn, server, path, as_of_ms=1_790_000_000_123, trust="audited")
    assert b"".join(inbox.raw(conn, file_id)) == path.read_bytes()
    kept = conn.execute(
        "SELECT name, size, format, encoding, provenance, trust, booked, received_by, "
        "(extract(epoch FROM as_of) * 1000)::bigint FROM inbox_file"
    ).fetchone()
    assert kept == ("deals.csv", 3503, "mapped", "utf-8", "operator", "audited", True, "anna",
                    1_790_000_000_123)  # fmt: skip
    assert rows(conn, "inbox_raw") == 4


def test_memory_stays_small(conn, server, tmp_path):
    """A part at a time is held, however large the file is."""
    import tracemalloc

    path = tmp_path / "large.csv"
    with path.open("wb") as out:
        for _ in range(24):
            out.write(os.urandom(2**20))
    tracemalloc.start()
    bring(conn, server, path)
    assert tracemalloc.get_traced_memory()[1] < 5 * receive.PART
    tracemalloc.stop()


def test_the_same_bytes_again_keep_their_number(conn, server, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"1,2,3")
    first = bring(conn, server, path, as_of_ms=5)
    assert bring(conn, server, b"1,2,3", name="b.csv", as_of_ms=5) == first
    assert bring(conn, server, path) == first
    assert (rows(conn, "inbox_file"), rows(conn, "inbox_raw")) == (1, 1)


def test_told_otherwise_it_is_a_reception_of_its_own_with_the_same_bytes(conn, server):
    ids = {bring(conn, server, b"1,2,3", booked=False), bring(conn, server, b"1,2,3"),
           bring(conn, server, b"1,2,3", as_of_ms=5)}  # fmt: skip
    assert len(ids) == 3
    assert rows(conn, "inbox_raw") == 1
    assert {b"".join(inbox.raw(conn, file_id)) for file_id in ids} == {b"1,2,3"}


def test_another_server_has_its_own(conn, server):
    other = conn.execute(
        "INSERT INTO market_server (code, entity_id, platform) SELECT 'T', id, 'mt5' "
        "FROM market_entity RETURNING id"
    ).fetchone()[0]
    assert bring(conn, server, b"1") != bring(conn, other, b"1")
    assert rows(conn, "inbox_raw") == 2


def test_an_empty_file_and_an_unprintable_name(conn, server, tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_bytes(b"")
    assert list(inbox.raw(conn, bring(conn, server, path))) == []
    assert conn.execute("SELECT name FROM inbox_file").fetchone() == ("caf?.csv",)


def test_a_file_that_grows_meanwhile_is_refused(conn, server, tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(b"1")
    honest = receive._digest

    def growing(stream):
        told = honest(stream)
        path.write_bytes(b"1 and more")
        return told

    monkeypatch.setattr(receive, "_digest", growing)
    with pytest.raises(BadInput, match="changed while it was read"):
        bring(conn, server, path)


def test_two_imports_at_once_store_one_file(db, conn, server):
    conn.commit()
    start, found = threading.Barrier(2), []

    def run():
        with db.app() as own:
            start.wait()
            found.append(bring(own, server, b"x" * 100_000))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]
    assert rows(conn, "inbox_raw") == 1


def test_an_unknown_number_is_missing(conn):
    with pytest.raises(Missing, match="77"):
        list(inbox.raw(conn, 77))


def test_refusals_are_kept_once_and_short(conn, server):
    file_id = bring(conn, server, b"1")
    refusals = [Refusal(3, "bad", "why", "raw \0 text"), Refusal(4, "bad", "why", "y" * 10**6),
                Refusal(3, "bad", "why", "raw \0 text")]  # fmt: skip
    assert inbox.store_refused(conn, file_id, refusals) == 2
    assert inbox.store_refused(conn, file_id, refusals) == 0
    assert inbox.store_refused(conn, file_id, []) == 0
    kept = conn.execute("SELECT line, raw FROM inbox_refused ORDER BY line").fetchall()
    assert kept == [(3, "raw ? text"), (4, "y" * 2000)]


def test_batches_know_their_file_and_moment(conn, server):
    file_id = bring(conn, server, b"1", name="m.csv", as_of_ms=1000)
    batch = inbox.open_batch(conn, server, "deals", 7, file_id, first_line=2, last_line=9)
    live = inbox.open_batch(conn, server, "live", 1)
    told = "SELECT name, extract(epoch FROM as_of)::int FROM inbox_batch_source WHERE id = %s"
    assert conn.execute(told, (batch,)).fetchone() == ("m.csv", 1)
    name, moment = conn.execute(told, (live,)).fetchone()
    assert name == f"live {live}"
    assert moment > 1_600_000_000


def cash(*tickets, amount=1):
    row = {"login": 5, "time_ms": 1, "kind": "deposit", "amount_e8": amount, "line": 1}
    return pl.DataFrame([{"ticket": t, "comment": "a\0b", **row} for t in tickets], schema=CASH)


def test_cash_is_stored_once(conn, server):
    assert inbox.store_cash(conn, server, cash(4, 9, 4), 1) == (2, 1)
    assert inbox.store_cash(conn, server, cash(9, 5, amount=3), 2) == (1, 1)
    assert inbox.store_cash(conn, server, cash(), 2) == (0, 0)
    kept = conn.execute("SELECT ticket, amount_e8, comment FROM inbox_cash ORDER BY 1").fetchall()
    assert kept == [(4, 1, "a?b"), (5, 3, "a?b"), (9, 1, "a?b")]
