"""Messages in the caller's transaction, once per key; receivers, their changes and secrets."""

from __future__ import annotations

import os
from typing import Any

import psycopg
import pytest
from tests.outbox.outbox_world import entity, hook, said, say

from pipshare import db as pg
from pipshare import outbox
from pipshare.errors import BadInput, Conflict, Missing


def test_said_once_per_key_and_in_the_callers_transaction(db: Any) -> None:
    with db.app() as conn:
        say(conn, said(1))
        conn.rollback()
        assert say(conn, said(1), said(2)) == 2
        assert say(conn, said(2), said(3)) == 1
        assert say(conn) == 0
        conn.commit()
        rows = conn.execute(
            "SELECT m.key, m.data->>'n' FROM outbox_unsent u JOIN outbox_message m"
            " ON m.id = u.message_id ORDER BY u.message_id"
        ).fetchall()
    assert rows == [("k1", "1"), ("k2", "2"), ("k3", "3")]


def test_what_is_wanted(db: Any) -> None:
    with db.app() as conn:
        nobody = outbox.wanted(conn)
        assert not nobody
        assert not nobody.by(1, "trade.closed")
        hook(conn, "all trades", "https://a.example/", events=["trade.*"])
        hook(conn, "ana", "https://b.example/", kind="postback", partner="ANA",
             events=["commission.posted"])  # fmt: skip
        wanted, own = outbox.wanted(conn), entity(conn)
    assert wanted.by(own, "trade.closed").all
    assert not wanted.by(own, "client.registered")
    assert not wanted.by(own + 1, "trade.closed")
    assert wanted.by(own, "commission.posted") == outbox.Listeners(
        False, frozenset({7}), frozenset({"ANA"})
    )


def test_changes_of_receivers_are_known_to_bookings(db: Any) -> None:
    from pipshare import audit

    with db.app() as conn:
        seen = audit.snapshot(conn)
        conn.commit()
        made = hook(conn, "x", "https://a.example/")
        conn.commit()
        seen, changed = audit.changed_since(conn, seen)
        assert changed == {"receivers"}
        conn.commit()
        outbox.pause(conn, made, by="ann", reason="move")
        conn.commit()
        assert audit.changed_since(conn, seen)[1] == {"receivers"}
        actions = conn.execute("SELECT action FROM audit_event ORDER BY id").fetchall()
    assert [a for (a,) in actions] == [
        "receiver.added", "receiver.secret_rotated", "receiver.paused"
    ]  # fmt: skip


def test_names_are_unique_until_removed(db: Any) -> None:
    with db.app() as conn:
        made = hook(conn, "Tracker", "https://a.example/")
        with pytest.raises(Conflict, match="already"):
            hook(conn, "tracker", "https://b.example/")
        outbox.remove(conn, made, by="ann")
        assert outbox.receivers(conn) == []
        hook(conn, "tracker", "https://b.example/")
        assert outbox.receiver(conn, "TRACKER").settings["url"] == "https://b.example/"
        with pytest.raises(Missing, match="did you mean 'tracker'"):
            outbox.receiver(conn, "trakcer")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"url": "a.example"}, "no scheme"),
        ({"method": "BREW"}, "GET or POST"),
        ({"headers": {"X-A": "1\r\nX-B: 2"}}, "line break"),
        ({"headers": {"Host": "b.example"}}, "pipshare itself"),
        ({"headers": {"webhook-signature": "v1,x"}}, "pipshare itself"),
        ({"headers": {"a b": "x"}}, "cannot name a header"),
        ({"concurrency": 1000}, "from 1 to 32"),
        ({"timeout_s": "soon"}, "from 1 to 60"),
        ({"events": ["Trade Closed"]}, "a type"),
        ({"countries": ["Germany"]}, "two capital letters"),
        ({"minimum": {"USD": "NaN"}}, "an amount for each currency"),
    ],
)
def test_settings_that_cannot_be(module_db: Any, settings: dict[str, Any], says: str) -> None:
    with module_db.app() as conn, pytest.raises(BadInput, match=says):
        hook(conn, "x", **{"url": "https://a.example/", **settings})


def test_secrets_are_sealed_rotated_and_sealed_anew(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipshare import settings
    from pipshare.outbox.sealed import secrets_of

    with db.app() as conn:
        made = hook(conn, "x", "https://a.example/")
        first = secrets_of(conn, [made.id])[made.id][0].text
        second = outbox.rotate_secret(conn, made, by="ann")
        outbox.set_header(conn, made, "Authorization", "Bearer 1", by="ann")
        outbox.set_header(conn, made, "authorization", "Bearer 2", by="ann")
        held = [(s.header, s.text) for s in secrets_of(conn, [made.id])[made.id]]
        assert held == [("authorization", "Bearer 2"), ("", second), ("", first)]
        stored = b"".join(row[0] for row in conn.execute("SELECT sealed FROM outbox_secret"))
        assert first.encode() not in stored
        assert b"Bearer" not in stored
        conn.execute("UPDATE outbox_secret SET expires_at = now() WHERE header = '' AND"
                     " expires_at IS NOT NULL")  # fmt: skip
        conn.commit()
        assert [s.text for s in secrets_of(conn, [made.id])[made.id]] == ["Bearer 2", second]
        old = ",".join(settings.encryption_keys(settings.ENV))
        new = settings.load({**os.environ, "PIPSHARE_ENCRYPTION_KEYS": "n" * 40 + "," + old})
        monkeypatch.setattr(settings, "ENV", new)
        assert outbox.rekey(conn) == 4
        assert outbox.rekey(conn) == 0
        assert secrets_of(conn, [made.id])[made.id][1].text == second
    with pg.connect() as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("DELETE FROM outbox_secret")
