"""Queue tables: claims never overlap, a lease ends, failures come back later and then stop."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from pipshare import db as pg
from pipshare.period import FOREVER_MS


@pytest.fixture
def queue(db: Any) -> Any:
    with db.app() as conn:
        conn.execute("INSERT INTO rating_request (server_id, cause) VALUES (1, 'a'), (1, 'b')")
    return db


def test_two_workers_never_get_the_same_row(queue: Any) -> None:
    with queue.app() as one, queue.app() as two:
        first = pg.claim(one, "rating_request", limit=1)
        second = pg.claim(two, "rating_request", limit=5)
        assert [row.cause for row in first] == ["a"]
        assert [row.cause for row in second] == ["b"]
        assert first[0].attempts == 1
        assert (first[0].close_from, first[0].close_to) == (0, FOREVER_MS)
        assert first[0].not_before > 1_700_000_000_000
        pg.finish(one, "rating_request", first[0].id)
    with queue.app() as conn:
        assert conn.execute("SELECT state FROM rating_request ORDER BY id").fetchall() == [
            ("done",),
            ("claimed",),
        ]


def test_a_rolled_back_claim_is_due_at_once_and_a_leased_one_when_it_ends(queue: Any) -> None:
    with queue.app() as conn:
        assert len(pg.claim(conn, "rating_request", limit=9)) == 2
        conn.rollback()
        assert len(pg.claim(conn, "rating_request", limit=9, lease_s=0)) == 2
        conn.commit()
        again = pg.claim(conn, "rating_request", limit=9, lease_s=3600)
        assert [row.attempts for row in again] == [2, 2]
        conn.commit()
        assert pg.claim(conn, "rating_request", limit=9) == []


def test_a_failure_comes_back_later_and_after_the_last_attempt_stops(queue: Any) -> None:
    with queue.app() as conn:
        (row,) = pg.claim(conn, "rating_request")
        assert pg.postpone(conn, "rating_request", row.id)
        state, later = conn.execute(
            "SELECT state, not_before > now() + interval '1 s' FROM rating_request WHERE id = %s",
            [row.id],
        ).fetchone()
        assert (state, later) == ("new", True)
        conn.execute("UPDATE rating_request SET attempts = 12 WHERE id = %s", [row.id])
        assert not pg.postpone(conn, "rating_request", row.id)


def test_who_listens_is_waked_at_commit(db: Any) -> None:
    with db.app(autocommit=True) as listener, db.app() as speaker:
        assert not pg.listen(listener, "work", 0.0)
        pg.wake(speaker, "work")
        assert not pg.listen(listener, "work", 0.05)
        done = threading.Timer(0.05, speaker.commit)
        done.start()
        assert pg.listen(listener, "work", 20.0)
        done.join()
