"""Every example, rated by the scalar twin: it agrees with what was published, by hand."""

from __future__ import annotations

from datetime import date

import pytest
from example_files import CASES, Told, differences, files_of

from pipshare.money import from_e8
from pipshare.pipeline.from_files.twin import ByHand, rate_by_hand


@pytest.mark.parametrize("case", CASES)
def test_the_twin_says_what_was_published(case: str) -> None:
    done = rate_by_hand(files_of(case))
    assert all(one.line.wait is None for by in done for one in by.result.lines)
    assert differences(case, [line for by in done for line in _told(by)], None) == []


def _told(done: ByHand) -> list[Told]:
    """Lines of trades, and what windows come to beyond them (carry-over, advances)."""
    codes = dict(zip(done.world.partners.ids.tolist(), done.world.partners.codes, strict=True))
    lines = [
        Told(done.names[one.place] if one.place >= 0 else "", _period(one.window),
             codes[one.line.partner_id], one.line.component, from_e8(one.line.amount_e8),
             one.line.wallet, one.line.reason.name.lower())
        for one in done.result.lines
    ]  # fmt: skip
    components = {number: code for (_, code), number in done.world.programmes.component_ids.items()}
    after = [
        Told("", _period(one.window), codes[one.partner_id], components[one.component_id],
             from_e8(one.payable_e8 - one.sum_e8), one.currency, "carried")
        for one in done.result.totals
    ]  # fmt: skip
    return lines + after


def _period(window: date) -> str:
    """A month; "" for what counts over a whole life."""
    return f"{window:%Y-%m}" if window.year > 1970 else ""
