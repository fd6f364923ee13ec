"""Delivery to a real server: order, sequence, dead letters that release, replay, attempts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.outbox.conftest import settled
from tests.outbox.outbox_world import hook, said, say
from tests.outbox.sink import OK, Got, Sink, reply

from pipshare import outbox


def number(got: Got) -> int:
    return int(json.loads(got.body)["data"]["n"])


def test_in_order_per_subject_with_numbers(
    db: Any, sinks: Callable[..., Sink], dispatching: Callable[..., Any]
) -> None:
    sink = sinks()
    with db.app() as conn:
        hook(conn, "a", sink.url("/a"))
        hook(conn, "b", sink.url("/b"), events=["trade.closed"])
        say(conn, *[said(n, f"client:{n % 3}") for n in range(60)])
        conn.commit()
        dispatching()
        assert settled(conn) == {"delivered": 120}
        for path in ("/a", "/b"):
            for client in range(3):
                mine = [g for g in sink.got if g.path == path and number(g) % 3 == client]
                assert [number(g) for g in mine] == sorted(number(g) for g in mine)
                assert [json.loads(g.body)["sequence"] for g in mine] == list(range(1, 21))
        say(conn, said(100, "client:0"))
        conn.commit()
        settled(conn)
    assert json.loads(sink.got[-1].body)["sequence"] == 21
    assert sink.connections <= 8


def test_a_dead_letter_releases_its_successors_and_is_replayed_alone_in_a_filter_or_all(
    db: Any, sinks: Callable[..., Sink], dispatching: Callable[..., Any]
) -> None:
    broken = {2, 3, 5}
    sink = sinks(lambda got: reply(400, b"no") if number(got) in broken else OK)
    with db.app() as conn:
        to = hook(conn, "a", sink.url())
        say(conn, *[said(n, "client:1") for n in range(1, 7)])
        conn.commit()
        dispatching()
        assert settled(conn) == {"delivered": 3, "dead": 3}
        assert [number(g) for g in sink.got] == [1, 2, 3, 4, 5, 6]
        letters = outbox.dead(conn, to.id)
        assert [one.data["n"] for one in letters] == ["5", "3", "2"]
        assert {one.reason for one in letters} == {"answered 400"}
        first_ids = {number(g): g.headers["webhook-id"] for g in sink.got}

        broken.clear()
        assert outbox.replay(conn, to, ids=[letters[1].id], by="ann") == 1
        conn.commit()
        sink.wait(7)
        assert settled(conn) == {"delivered": 4, "dead": 2}
        assert outbox.replay(conn, to, types=["trade.closed"], since_ms=0, by="ann") == 2
        conn.commit()
        sink.wait(9)
        assert settled(conn) == {"delivered": 6}
        assert outbox.replay(conn, to, states=["delivered"], by="ann") == 6
        conn.commit()
        sink.wait(15)
        settled(conn)
        assert [number(g) for g in sink.got[6:]] == [3, 2, 5, 1, 2, 3, 4, 5, 6]
        assert {g.headers["webhook-id"] for g in sink.got if number(g) == 3} == {first_ids[3]}
        [tried] = [d for d in outbox.deliveries(conn, receiver_id=to.id) if d.data["n"] == "3"]
        rows = outbox.attempts(conn, [tried.id])
    assert [(a.number, a.status, a.outcome) for a in rows] == [
        (1, 400, "permanent"), (2, 200, "ok"), (3, 200, "ok")
    ]  # fmt: skip
    assert rows[0].answer == "no"
    assert rows[0].error == "answered 400"
    assert rows[0].method == "POST"
    assert json.loads(rows[0].body)["data"]["n"] == "3"
    assert json.loads(rows[0].headers)["webhook-id"] == first_ids[3]


def test_what_fails_for_a_while_is_tried_again_and_keeps_its_place(
    db: Any, sinks: Callable[..., Sink], dispatching: Callable[..., Any]
) -> None:
    failures = {1: 1, 2: 9}

    def answer(got: Got) -> bytes:
        failures[number(got)] = failures.get(number(got), 0) - 1
        return reply(503, b"later") if failures[number(got)] >= 0 else OK

    sink = sinks(answer)
    with db.app() as conn:
        hook(conn, "a", sink.url())
        say(conn, said(1, "client:1"), said(2, "client:1"), said(3, "client:1"), said(9))
        conn.commit()
        dispatching()
        assert settled(conn) == {"delivered": 3, "dead": 1}
        order = [number(g) for g in sink.got if number(g) != 9]
        assert order == [1, 1, 2, 2, 2, 3], "three tries, then dead, then the successor"
        rows = conn.execute("SELECT (at - due_at) < interval '1 s' FROM outbox_attempt").fetchall()
    assert all(row[0] for row in rows)
    times = [g.at for g in sink.got if number(g) == 1]
    assert 0.29 < times[1] - times[0] < 2.5
