"""Windows: any span is covered once, answers stay below the limit, and halves follow an overrun."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mt5_web_talk import Talk, Talking
from scripted_tls import Asked, Broker, deal, done

from pipshare.sources.mt5_web.errors import Garbled
from pipshare.sources.mt5_web.windows import FIRST_S, Windows

BATCH = "/api/deal/get_batch"
START = 1572500000


@settings(deadline=None)
@given(
    length=st.integers(1, 4_000_000),
    now=st.integers(-10, 4_000_010),
    target=st.integers(1, 10**8),
    sizes=st.lists(st.integers(0, 10**9), min_size=1, max_size=8),
)
def test_windows_make_up_the_span_without_gap_or_overlap(
    length: int, now: int, target: int, sizes: list[int]
) -> None:
    plan = Windows(START, START + length - 1, target, START + now, FIRST_S)
    at = START
    for number, (start, end) in zip(range(300), plan, strict=False):
        assert start == at <= end <= START + length - 1
        at = end + 1
        plan.learn((start, end), sizes[number % len(sizes)])
    assert at <= START + length


def test_quiet_times_make_windows_longer_and_busy_ones_shorter() -> None:
    plan = Windows(0, 10**9, 16_000_000, 10**9, FIRST_S)
    windows = iter(plan)
    assert next(windows) == (0, 599)
    plan.learn((0, 599), 40)
    assert next(windows) == (600, 600 + 2400 - 1)
    plan.learn((600, 2999), 32_000_000)
    start, end = next(windows)
    assert end - start + 1 == 1200
    assert plan.guess == 600


def test_a_margin_beyond_now_costs_no_window_of_its_own() -> None:
    assert list(Windows(START, START + 3605, 10**6, START + 5, FIRST_S)) == [(START, START + 3605)]
    assert list(Windows(START, START + 3605, 10**6, START - 50, 1)) == [(START, START + 3605)]
    plan = Windows(START, START + 3605, 10**6, START + 5, FIRST_S)
    plan.learn((START, START + 3605), 3 * 10**6)
    assert plan.guess == 2


def _tape(first: int, count: int) -> tuple[Broker, dict[int, dict[str, str]]]:
    """Return a broker with one deal a second from START on, each of about 3,000 bytes."""
    deals = {
        START + n: deal(
            first + n, Time=str(START + n), TimeMsc=f"{START + n}000", Comment="x" * 2000
        )
        for n in range(count)
    }

    def batch(asked: Asked) -> bytes:
        start, end = int(asked.params["from"]), int(asked.params["to"])
        return done([one for second, one in deals.items() if start <= second <= end])

    return Broker(says={BATCH: batch}), deals


def _all(one: Talk, end: int, **options: object) -> list[int]:
    found = []
    at = START
    for answer in one.web.deals("*", START, end):
        assert answer.from_s == at
        at = answer.to_s + 1
        found += answer.deals["deal"].to_list()
    assert at == end + 1
    return found


@pytest.mark.parametrize("connections", [1, 3])
def test_overruns_are_asked_for_in_halves_and_nothing_is_lost(
    talk: Talking, connections: int
) -> None:
    broker, _ = _tape(1, 700)
    one = talk(broker, connections=connections, answer_limit=200_000)
    assert _all(one, START + 699) == list(range(1, 701))
    sizes = [
        int(a.params["to"]) - int(a.params["from"]) + 1 for a in broker.asked if a.path == BATCH
    ]
    assert max(sizes) == 600
    assert min(sizes) < 80
    assert one.log == []


def test_windows_are_fetched_ahead_on_several_connections(talk: Talking) -> None:
    broker, _ = _tape(1, 10)
    one = talk(broker, connections=3)
    assert _all(one, START + 40_000) == list(range(1, 11))
    assert {asked.connection for asked in broker.asked} == {1, 2, 3}


def test_a_margin_beyond_the_servers_time_is_not_halved_into(talk: Talking) -> None:
    broker, _ = _tape(1, 100)
    broker.says["/api/time/server"] = done({"Time": str(START + 99)})
    one = talk(broker, answer_limit=100_000)
    one.now = START - 7200 + 99.0
    assert one.web.server_time().offset_ms == 7_200_000
    assert _all(one, START + 99 + 3600) == list(range(1, 101))
    assert broker.count(BATCH) <= 1 + 2 + 4 + 8
    asked = broker.count(BATCH)
    assert sum(a.count for a in one.web.deals("*", START + 98, START + 3600)) == 2
    assert broker.count(BATCH) == asked + 1


def test_a_caller_that_stops_half_way_leaves_the_connector_usable(talk: Talking) -> None:
    broker, _ = _tape(1, 10)
    one = talk(broker, connections=2)
    for _ in range(3):
        answers = one.web.deals("*", START, START + 40_000)
        assert next(answers).count == 10
        answers.close()  # type: ignore[attr-defined]
    assert _all(one, START + 100) == list(range(1, 11))


def test_a_server_out_of_time_is_asked_for_less(talk: Talking) -> None:
    broker, _ = _tape(1, 100)
    whole = broker.says[BATCH]

    def slow(asked: Asked) -> bytes | None:
        span = int(asked.params["to"]) - int(asked.params["from"]) + 1
        assert callable(whole)
        return done(retcode="9 Timeout") if span > 30 else whole(asked)

    broker.says[BATCH] = slow
    one = talk(broker)
    assert _all(one, START + 99) == list(range(1, 101))
    broker.says[BATCH] = done(retcode="9 Timeout")
    asked = broker.count(BATCH)
    with pytest.raises(Exception, match="ran out of time"):
        _all(one, START + 99)
    assert broker.count(BATCH) - asked == 4  # whole, half, quarter, eighth, and no more


def test_a_single_second_that_is_too_much_is_named(talk: Talking) -> None:
    broker, _ = _tape(1, 3)
    broker.says[BATCH] = done([deal(n, Comment="x" * 9000) for n in range(200)])
    one = talk(broker, answer_limit=100_000)
    with pytest.raises(Garbled, match=r"deals of a single second.*ask for fewer groups"):
        list(one.web.deals("*", START, START + 10))


def test_logins_and_tickets_are_asked_for_in_chunks(talk: Talking) -> None:
    seen: list[str] = []

    def batch(asked: Asked) -> bytes:
        assert len(asked.target) < 6_000
        listed = asked.params.get("ticket") or asked.params["login"]
        seen.extend(listed.split(","))
        numbers = listed.split(",") if "ticket" in asked.params else []
        return done([deal(number) for number in numbers if int(number) % 2])

    one = talk(Broker(says={BATCH: batch}))
    tickets = list(range(10**9, 10**9 + 2_000))
    got = [t for answer in one.web.deals_by_ticket(tickets) for t in answer.seen.tolist()]
    assert got == [t for t in tickets if t % 2]
    assert seen == [str(t) for t in tickets]
    seen.clear()
    assert sum(a.count for a in one.web.deals_of(tickets, START, START + 5)) == 0
    assert sorted(seen) == sorted(map(str, tickets))
    assert list(one.web.deals_of([], START, START + 5)) == []
