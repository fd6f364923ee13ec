"""Every example, rated by the scalar twin: it agrees with what was published, by hand."""

from __future__ import annotations

import pytest
from example_files import CASES, Told, differences, files_of

from pipshare.money import from_e8
from pipshare.pipeline.from_files.twin import ByHand, rate_by_hand

# What is paid for events of clients has its own reference (tests/rating/test_qualify_*).
BY_EVENTS = {case for case in CASES if files_of(case).events is not None}


@pytest.mark.parametrize("case", [case for case in CASES if case not in BY_EVENTS])
def test_the_twin_says_what_was_published(case: str) -> None:
    done = rate_by_hand(files_of(case))
    assert all(one.line.wait is None for one in done.result.lines)
    assert differences(case, _told(done), None) == []


def _told(done: ByHand) -> list[Told]:
    """Lines of trades, and what windows come to beyond them (carry-over, advances)."""
    codes = dict(zip(done.world.partners.ids.tolist(), done.world.partners.codes, strict=True))
    lines = [
        Told(done.names[one.place] if one.place >= 0 else "", f"{one.window:%Y-%m}",
             codes[one.line.partner_id], one.line.component, from_e8(one.line.amount_e8),
             one.line.wallet, one.line.reason.name.lower())
        for one in done.result.lines
    ]  # fmt: skip
    components = {number: code for (_, code), number in done.world.programmes.component_ids.items()}
    after = [
        Told("", f"{one.window:%Y-%m}", codes[one.partner_id], components[one.component_id],
             from_e8(one.payable_e8 - one.sum_e8), one.currency, "carried")
        for one in done.result.totals
    ]  # fmt: skip
    return lines + after
