"""Notes of changes are thrown together, and nobody who reads them misses one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipshare import audit

NOTE = "INSERT INTO audit_change (kind) VALUES (%s)"


@pytest.fixture
def conn(db: Any) -> Iterator[Any]:
    with db.app() as connection:
        yield connection


def change(conn: Any, kind: str) -> None:
    conn.execute(NOTE, (kind,))
    conn.commit()


def seen_by(conn: Any) -> str:
    seen = audit.snapshot(conn)
    conn.commit()
    return seen


def since(conn: Any, seen: str) -> tuple[str, set[str]]:
    found = audit.changed_since(conn, seen)
    conn.commit()
    return found


def pruned(conn: Any) -> bool:
    done = audit.prune(conn, 3)
    conn.commit()
    return done


def notes(conn: Any) -> list[str]:
    rows = [row[0] for row in conn.execute("SELECT kind FROM audit_change ORDER BY kind")]
    conn.commit()
    return rows


def test_few_notes_stay(conn: Any) -> None:
    conn.execute("DELETE FROM audit_change")
    change(conn, "fx")
    change(conn, "fx")
    assert not pruned(conn)
    assert notes(conn) == ["fx", "fx"]


def test_who_read_before_is_told_and_who_read_after_reads_once_more(conn: Any) -> None:
    before = seen_by(conn)
    for kind in ("plans", "fx", "fx", "fx"):
        change(conn, kind)
    after = seen_by(conn)
    assert pruned(conn)
    assert sorted(set(notes(conn))) == notes(conn), "one a kind"
    assert {"plans", "fx"} <= since(conn, before)[1]
    seen, told = since(conn, after)
    assert {"plans", "fx"} <= told
    assert since(conn, seen)[1] == set()
    assert not pruned(conn) or len(notes(conn)) >= 3


def test_a_change_that_commits_out_of_its_turn_is_not_lost(conn: Any, db: Any) -> None:
    """The older transaction's note was not seen, though a newer one's was: it must be told."""
    with db.app() as slow:
        slow.execute(NOTE, ("partners",))
        for _ in range(4):
            change(conn, "fx")
        seen = seen_by(conn)
        assert since(conn, seen)[1] == set()
        slow.commit()
    assert pruned(conn)
    assert "partners" in since(conn, seen)[1]


def test_a_change_under_way_outlives_the_pruning(conn: Any, db: Any) -> None:
    seen = seen_by(conn)
    with db.app() as slow:
        slow.execute(NOTE, ("accounts",))
        for _ in range(4):
            change(conn, "fx")
        assert pruned(conn)
        seen, told = since(conn, seen)
        assert "accounts" not in told
        slow.commit()
    assert since(conn, seen)[1] == {"accounts"}
