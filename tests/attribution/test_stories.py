"""Dated stories: who gets a trade when people move, are corrected, or are unknown."""

from __future__ import annotations

import pytest
from attribution_world import World, ms, trades

from pipshare import attribution
from pipshare.attribution import Directory, Standing, Why

LOGIN = 7001


@pytest.fixture
def world(db):
    """A client (1) of partner 3, who is under 2, who is under 1."""
    with db.app() as conn:
        made = World(conn)
        made.partners(17)
        made.clients(2)
        made.account(LOGIN, 1)
        made.state(1, group_name="real\\ecn", currency="USD")
        for partner, parent in ((1, None), (2, 1), (3, 2), (4, 1), (5, None)):
            made.parent(partner, parent)
        made.relation(1, 3)
        conn.commit()
        yield made


def chain(world: World, date: str, known: Directory | None = None) -> tuple[int, ...]:
    who = attribution.attribute(world.conn, world.server, trades((LOGIN, ms(date))), known)
    return who.chains[who.chain[0]] if who.chain[0] >= 0 else ()


def why(world: World, login: int, date: str) -> Why:
    who = attribution.attribute(world.conn, world.server, trades((login, ms(date))))
    return Why(int(who.why[0]))


def clock(world: World) -> int:
    world.conn.commit()
    query = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 1"
    (now,) = world.conn.execute(query).fetchone()
    world.conn.execute("SELECT pg_sleep(0.003)")
    return now


def test_a_client_who_moves_takes_only_later_trades_along(world) -> None:
    world.relation(1, 4, valid_from="2026-03-01")
    assert chain(world, "2026-02-28 23:59:59.999") == (3, 2, 1)
    assert chain(world, "2026-03-01") == (4, 1)


def test_a_branch_that_moves_takes_everybody_below_along(world) -> None:
    world.parent(2, 5, valid_from="2026-03-01")
    assert chain(world, "2026-02-01") == (3, 2, 1)
    assert chain(world, "2026-03-01") == (3, 2, 5)


def test_a_back_dated_correction_and_what_we_knew_before_it(world) -> None:
    before = clock(world)
    world.relation(1, 4, valid_from="2026-01-01", valid_to="2026-02-01")
    corrected = clock(world)
    world.relation(1, None, valid_from="2026-01-15")
    assert chain(world, "2026-01-10") == (4, 1)
    assert chain(world, "2026-01-20") == ()
    assert chain(world, "2026-01-20", Directory(known_at=corrected)) == (4, 1)
    assert chain(world, "2026-02-10", Directory(known_at=corrected)) == (3, 2, 1)
    assert chain(world, "2026-01-20", Directory(known_at=before)) == (3, 2, 1)


def test_nobody_has_said_is_not_direct(world) -> None:
    world.account(7002, 2)
    world.state(2)
    assert why(world, 7002, "2026-01-01") is Why.NO_RELATION
    assert why(world, 9999, "2026-01-01") is Why.UNKNOWN_ACCOUNT
    world.relation(2, None, valid_from="2026-01-01")
    assert why(world, 7002, "2025-12-31") is Why.NO_RELATION
    assert why(world, 7002, "2026-01-01") is Why.CLIENT_DIRECT


@pytest.mark.parametrize(
    ("status", "treatment", "expected"),
    [
        ("excluded", "direct", Why.ACCOUNT_EXCLUDED),
        ("direct", "excluded", Why.GROUP_EXCLUDED),
        ("direct", "normal", Why.ACCOUNT_DIRECT),
        ("disabled", "direct", Why.GROUP_DIRECT),
        ("disabled", "normal", Why.INTRODUCED),
    ],
)
def test_account_and_group_go_before_the_relation(world, status, treatment, expected) -> None:
    world.state(1, group_name="real\\ecn", status=status, valid_from="2026-01-01")
    world.group("real\\*", treatment=treatment, valid_from="2026-01-01")
    assert why(world, LOGIN, "2026-01-01") is expected
    assert why(world, LOGIN, "2025-12-31") is Why.INTRODUCED
    world.group("real\\ecn", treatment="normal", valid_from="2026-02-01")
    if expected in (Why.GROUP_EXCLUDED, Why.GROUP_DIRECT):
        assert why(world, LOGIN, "2026-02-01") is not expected


def test_before_the_first_observation_the_first_known_state_serves(world) -> None:
    world.account(7002, 1)
    world.state(2, group_name="real\\vip", currency="EUR", valid_from="2026-01-01")
    world.state(2, group_name="real\\ecn", currency="EUR", valid_from="2026-02-01")
    frame = trades((7002, ms("2025-01-01")), (7002, ms("2026-01-01")), (7002, ms("2026-02-01")))
    world.group("real\\vip", type="vip")
    who = attribution.attribute(world.conn, world.server, frame)
    assert who.early.tolist() == [True, False, False]
    assert [who.groups[g].mask if g >= 0 else None for g in who.group] == [
        "real\\vip", "real\\vip", None,
    ]  # fmt: skip
    assert [who.currencies[c] for c in who.currency] == ["EUR"] * 3
    one = attribution.why_one(world.conn, world.server, frame.row(0, named=True))
    assert one["state"]["first_known"] is True


def test_a_late_observation_of_an_earlier_moment_does_not_undo_later_ones(world) -> None:
    world.state(1, status="excluded", valid_from="2026-03-01")
    world.state(1, status="direct", valid_from="2026-01-01")
    assert why(world, LOGIN, "2026-02-01") is Why.ACCOUNT_DIRECT
    assert why(world, LOGIN, "2026-03-01") is Why.ACCOUNT_EXCLUDED


def test_a_corrected_owner_holds_for_the_whole_past(world) -> None:
    before = clock(world)
    world.relation(2, 5)
    world.owner(1, 2)
    frame = trades((LOGIN, ms("2020-01-01")))
    assert chain(world, "2020-01-01") == (5,)
    assert chain(world, "2020-01-01", Directory(known_at=before)) == (3, 2, 1)
    one = attribution.why_one(world.conn, world.server, frame.row(0, named=True))
    assert (one["client"], [level["partner"] for level in one["chain"]]) == ("C2", ["P5"])


def test_an_explanation_names_every_record(world) -> None:
    world.relation(1, 4, valid_from="2026-03-01", recorded_by="Anna + Boris", reason="new desk")
    frame = trades((LOGIN, ms("2026-03-02")))
    one = attribution.why_one(world.conn, world.server, frame.row(0, named=True))
    assert (one["standing"], one["why"], one["client"]) == ("introduced", "introduced", "C1")
    told = {k: one["relation"][k] for k in ("partner", "valid_from", "recorded_by", "reason")}
    assert told == {
        "partner": "P4", "valid_from": "2026-03-01 00:00:00+00",
        "recorded_by": "Anna + Boris", "reason": "new desk",
    }  # fmt: skip
    assert [level["partner"] for level in one["chain"]] == ["P4", "P1"]
    assert one["chain"][0]["parent"]["partner"] == "P1"
    assert one["chain"][1]["parent"]["partner"] is None


def test_an_agent_of_the_platform_holds_everything_until_somebody_decides(world) -> None:
    before = clock(world)
    world.agent(LOGIN)
    assert why(world, LOGIN, "2020-01-01") is Why.NATIVE_AGENT
    seen = clock(world)
    world.decide(LOGIN, "none")
    assert why(world, LOGIN, "2020-01-01") is Why.AGENT_PAID
    world.decide(LOGIN, "pay", valid_from="2026-03-01")
    assert why(world, LOGIN, "2026-02-28") is Why.AGENT_PAID
    assert chain(world, "2026-03-01") == (3, 2, 1)
    world.decide(LOGIN, "none")
    assert why(world, LOGIN, "2026-03-01") is Why.AGENT_PAID
    assert chain(world, "2026-03-01", Directory(known_at=before)) == (3, 2, 1)
    assert chain(world, "2026-03-01", Directory(known_at=seen)) == ()
    frame = trades((LOGIN, ms("2026-03-02")))
    one = attribution.why_one(world.conn, world.server, frame.row(0, named=True))
    assert (one["standing"], one["why"]) == ("excluded", "agent_paid")
    assert (one["agent"]["agent"], one["agent"]["recorded_by"]) == (8001, "Anna")


@pytest.mark.parametrize("status", ["excluded", "direct"])
def test_where_nobody_earns_an_agent_of_the_platform_holds_nothing(world, status) -> None:
    world.agent(LOGIN)
    world.state(1, status=status)
    assert why(world, LOGIN, "2026-01-01").standing is not Standing.UNKNOWN


def test_twelve_levels(world) -> None:
    for partner in range(7, 18):
        world.parent(partner, partner - 1)
    world.relation(1, 17, valid_from="2026-01-01")
    assert chain(world, "2026-01-01") == tuple(range(17, 5, -1))


def settle(world: World, frame) -> int:
    who = attribution.attribute(world.conn, world.server, frame)
    return attribution.store_waiting(world.conn, world.server.id, frame, who)


def waiting(world: World) -> list[tuple]:
    query = "SELECT ticket, reason, key FROM attribution_waiting ORDER BY ticket"
    return world.conn.execute(query).fetchall()


def test_what_waits_is_taken_up_when_its_piece_comes(world) -> None:
    frame = trades((LOGIN, ms("2026-01-01")), (7002, ms("2026-01-01")), (7003, ms("2026-01-01")))
    world.trade(frame)
    assert settle(world, frame) == 2
    assert waiting(world) == [(2, "unknown_account", "7002"), (3, "unknown_account", "7003")]
    takeable = lambda: attribution.takeable(world.conn, world.server.id)  # noqa: E731
    assert takeable() == []
    world.account(7002, 2)
    world.state(2)
    assert takeable() == [2]
    settle(world, frame[1:2])
    assert waiting(world)[0] == (2, "no_relation", "C2")
    assert takeable() == []
    world.relation(2, 5, valid_from="2026-01-02")
    assert takeable() == []  # it holds only after the trade
    world.relation(2, 5)
    assert takeable() == [2]
    settle(world, frame[1:2])
    assert waiting(world) == [(3, "unknown_account", "7003")]


def test_an_excluded_group_settles_what_waits_for_a_relation(world) -> None:
    world.account(7002, 2)
    world.state(2, group_name="demo\\x")
    frame = trades((7002, ms("2026-01-01")))
    world.trade(frame)
    settle(world, frame)
    assert waiting(world) == [(1, "no_relation", "C2")]
    world.group("demo*", treatment="excluded")
    assert attribution.takeable(world.conn, world.server.id) == [1]
    settle(world, frame)
    assert waiting(world) == []


def test_waiting_for_the_same_keeps_its_since_and_many_are_stored_at_once(world) -> None:
    frame = trades(*((20_000 + i, ms("2026-01-01")) for i in range(3000)))
    assert settle(world, frame) == 3000
    query = "SELECT DISTINCT since FROM attribution_waiting"
    since = world.conn.execute(query).fetchall()
    world.conn.commit()
    assert settle(world, frame) == 3000
    assert world.conn.execute(query).fetchall() == since
    attribution.clear_waiting(world.conn, world.server.id, frame["ticket"].to_list())
    assert waiting(world) == []


def test_an_empty_batch_and_a_server_nobody_knows_anything_of(db) -> None:
    with db.app() as conn:
        world = World(conn)
        assert len(attribution.attribute(conn, world.server, trades()).standing) == 0
        who = attribution.attribute(conn, world.server, trades((1, 1)))
        assert who.standing.tolist() == [Standing.UNKNOWN]
        assert who.chain_id.tolist() == [0]


def test_a_decision_lets_trades_of_a_native_agent_be_taken_up(world) -> None:
    world.agent(LOGIN)
    frame = trades((LOGIN, ms("2026-03-02")))
    world.trade(frame)
    assert settle(world, frame) == 1
    assert waiting(world) == [(1, "native_agent", str(LOGIN))]
    assert attribution.takeable(world.conn, world.server.id) == []
    world.decide(LOGIN, "pay")
    assert attribution.takeable(world.conn, world.server.id) == [1]
    assert settle(world, frame) == 0
    assert waiting(world) == []
