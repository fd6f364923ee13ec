"""A step of taking up what waits that fails stops no step that does not need it."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker
from tests.scenarios.window_plans import CPA, E8

from pipshare.pipeline import loads, rest
from pipshare.pipeline.book import Booked
from pipshare.pipeline.work import chores as chores_module
from pipshare.pipeline.work import resting
from pipshare.pipeline.work.chores import Chores

QUOTED = "iban DE00 of a client"


@pytest.fixture
def told(broker: SmallBroker, monkeypatch: pytest.MonkeyPatch) -> SmallBroker:
    """A broker who pays 200 for a client; a deposit is stored, not taken up."""
    broker.plan(CPA)
    with monkeypatch.context() as patched:
        patched.setattr(loads, "to_rest", lambda _run: Booked())
        broker.events("d1,deposit,C-1,2026-03-02T10:00:00Z,500,USD,,crm")
    assert broker.totals() == {}
    return broker


def _failing(*_: object) -> bool:
    raise ValueError(QUOTED)


def _alerts(broker: SmallBroker) -> set[str]:
    rows = broker.conn.execute(
        "SELECT subject FROM inbox_alert WHERE code = 'not_at_rest' AND resolved_at IS NULL"
    )
    return {subject for (subject,) in rows.fetchall()}


@pytest.mark.parametrize("step", ["settle_claims", "settle_payloads", "take_compensations",
                                  "close_told", "_one_request", "_waiting"])  # fmt: skip
def test_what_a_deposit_brings_is_paid_though_another_step_fails(
    told: SmallBroker, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(rest, step, _failing)
    rest.to_rest(told.run, Chores(told.conn, told.run.refresh).do)
    assert told.totals() == {"P-2": 200 * E8}
    assert _alerts(told)


def test_nobody_is_paid_for_a_client_before_it_is_settled_who_he_is(
    told: SmallBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.monotonic()]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    chores = Chores(told.conn, told.run.refresh)
    began = now[0]
    with monkeypatch.context() as patched:
        patched.setattr(rest, "settle_identity", _failing)
        rest.to_rest(told.run, chores.do)
        assert told.totals() == {}
        assert _alerts(told) == {"settling who clients are"}
        now[0] += 1
        assert not chores.any_again(began)
        now[0] += 2
        assert chores.any_again(began)
        assert not chores.any_again(now[0])  # it was tried since
    rest.to_rest(told.run, chores.do)
    assert told.totals() == {"P-2": 200 * E8}
    assert _alerts(told) == set()


def test_left_to_itself_the_first_fault_ends_it(
    told: SmallBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "settle_payloads", _failing)
    with pytest.raises(ValueError, match=QUOTED):
        rest.to_rest(told.run)
    assert told.totals() == {}


def test_work_tries_a_step_again_that_failed(
    told: SmallBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, works = [0], threading.Event()

    def settle(_run: Any) -> bool:
        tries[0] += 1
        if tries[0] < 3:
            return _failing()
        works.set()
        return False

    monkeypatch.setattr(chores_module, "_LONGEST_S", 0.05)
    monkeypatch.setattr(resting, "POLL_S", 0.05)
    monkeypatch.setattr(rest, "settle_payloads", settle)
    told.conn.commit()
    halt = threading.Event()
    thread = threading.Thread(target=resting.bring_to_rest, args=(halt,))
    thread.start()
    try:
        assert works.wait(20)
        deadline = time.monotonic() + 10
        while _alerts(told) and time.monotonic() < deadline:
            told.conn.rollback()
            time.sleep(0.05)
    finally:
        halt.set()
        thread.join(30)
    assert told.totals() == {"P-2": 200 * E8}
    assert _alerts(told) == set()
