"""The rules of trying again: answers, waits, Retry-After, the breaker, days of failure."""

from __future__ import annotations

import pytest

from pipshare.outbox.schedule import (
    OK,
    PERMANENT,
    TEMPORARY,
    Breaker,
    Health,
    next_try,
    outcome,
    retry_after,
)

NOW = 1_795_000_000_000  # 2026-11-18T11:06:40Z
DAY = 24 * 3600 * 1000


@pytest.mark.parametrize(
    ("statuses", "meant"),
    [
        ((200, 201, 204, 299), OK),
        ((408, 425, 429, 500, 502, 503, 504, 599), TEMPORARY),
        ((301, 302, 303, 307, 308, 400, 401, 403, 404, 410, 413, 422), PERMANENT),
    ],
)
def test_what_answers_mean(statuses: tuple[int, ...], meant: str) -> None:
    assert {outcome(status) for status in statuses} == {meant}


def test_the_waits_with_and_without_luck() -> None:
    plain = [next_try(n, 0, None, 0.0) for n in range(1, 9)]
    assert plain == [5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 36_000_000, None]
    most = [next_try(n, 0, None, 1.0) for n in range(1, 4)]
    assert most == [6_000, 360_000, 2_160_000]


def test_retry_after_makes_a_wait_longer_never_shorter() -> None:
    assert next_try(1, NOW, 60_000, 0.0) == NOW + 60_000
    assert next_try(2, NOW, 1_000, 0.0) == NOW + 300_000
    assert next_try(8, NOW, 60_000, 0.0) is None


@pytest.mark.parametrize(
    ("told", "ms"),
    [
        ("120", 120_000),
        ("0", 0),
        (" 7 ", 7_000),
        ("999999999999999999999999", DAY),
        ("86401", DAY),
        ("Wed, 18 Nov 2026 11:08:40 GMT", 120_000),
        ("Wed, 18 Nov 2026 10:00:00 GMT", 0),
        ("Fri, 18 Nov 2126 10:00:00 GMT", DAY),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
        (None, None),
        ("Wed, 99 Nov 2026 11:08:40 GMT", None),
    ],
)
def test_retry_after_is_read_and_clamped(told: str | None, ms: int | None) -> None:
    assert retry_after(told, NOW) == ms


def test_the_breaker_opens_after_five_in_a_row_and_rests_longer_each_time() -> None:
    breaker = Breaker()
    for _ in range(4):
        breaker.failed(NOW, 0.0)
    assert breaker.until_ms == 0
    breaker.worked()
    for _ in range(5):
        breaker.failed(NOW, 0.0)
    assert breaker.until_ms == NOW + 30_000
    assert breaker.probing
    breaker.failed(NOW + 1, 0.0)
    assert breaker.until_ms == NOW + 30_000, "what was under way does not count again"
    rests = []
    for _ in range(6):
        at = breaker.until_ms
        breaker.failed(at, 0.0)
        rests.append((breaker.until_ms - at) // 1000)
    assert rests == [60, 120, 240, 480, 600, 600]
    breaker.worked()
    assert not breaker.probing
    assert breaker.until_ms == 0


def test_days_of_failure() -> None:
    health = Health()
    assert not health.failed(NOW, "answered 500")
    assert not any(health.failed(NOW + 3 * DAY - 1, "answered 500") for _ in range(10))
    assert health.failed(NOW + 3 * DAY, "answered 500")
    assert health.worked(NOW + 3 * DAY)
    assert not health.failed(NOW + 3 * DAY, "answered 500")
    seldom = Health()
    assert not any(seldom.failed(NOW + day * 4 * DAY, "x") for day in range(4)), "too few"
    assert seldom.failed(NOW + 16 * DAY, "x")
