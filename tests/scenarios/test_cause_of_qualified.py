"""Two deposits of one client at one moment: the first that is enough is what he is paid for by."""

from __future__ import annotations

import pytest
from small_broker import SmallBroker
from window_plans import CPA, E8

from pipshare.pipeline.explained.of_event import explain_event


@pytest.mark.parametrize("order", [("d1", "d2"), ("d2", "d1")])
def test_the_first_deposit_is_named_and_explained(
    broker: SmallBroker, order: tuple[str, str]
) -> None:
    broker.plan(CPA)
    broker.events(*(f"{name},deposit,C-1,2026-03-02T10:00:00Z,500,USD,,crm" for name in order))
    first, second = (explain_event(broker.run, name) for name in ("d1", "d2"))
    assert [(one["payee"], one["amount_e8"]) for one in first.booked] == [("P-2", 200 * E8)]
    assert first.agrees
    assert second.booked == []
