"""THE rule: whose client somebody becomes, by everything that was claimed of him."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from pipshare.attribution.claims import (
    DAY_MS,
    REASONS,
    SKEW_MS,
    Case,
    Claim,
    Decision,
    Rules,
    Via,
    decide,
)

NOW = 1_770_000_000_000
CASE = Case(entity_id=1, registered_ms=NOW)
P2, P3 = 2, 3
CLICK = Claim(Via.CLICK, "c2", P2, 1, NOW - DAY_MS, "s2s:site", "1", first_hand=True)
CODE = Claim(Via.PARTNER_CODE, "IB-3", P3, 1, NOW, "s2s:site", "1", first_hand=True)


def _said(case: Case, *claims: Claim, rules: Rules | None = None) -> list[tuple[str, str]]:
    found = decide(case, claims, rules or Rules())
    assert all(one.reason in REASONS for one in found)
    assert sum(one.decision is Decision.ATTRIBUTED for one in found) <= 1
    return [(one.decision.value, one.reason) for one in found]


def test_a_click_makes_the_relation() -> None:
    assert _said(CASE, CLICK) == [("attributed", "attributed")]


def test_a_typed_code_goes_before_a_click() -> None:
    assert _said(CASE, CLICK, CODE) == [("kept", "stronger_claim"), ("attributed", "attributed")]


def test_the_crm_s_field_goes_before_all_and_a_tag_behind_all() -> None:
    crm = replace(CODE, via=Via.CRM, evidence="field")
    tag = replace(CODE, via=Via.TAG, evidence="a1-b2")
    assert [one for one, _ in _said(CASE, tag, CLICK, CODE, crm)] == [
        "kept", "kept", "kept", "attributed",
    ]  # fmt: skip
    assert _said(CASE, tag, CLICK) == [("kept", "stronger_claim"), ("attributed", "attributed")]


def test_a_relation_in_force_stands_for_life() -> None:
    mine = replace(CASE, is_settled=True, in_force=P2)
    assert _said(mine, CLICK, CODE) == [
        ("kept", "same_partner"), ("kept", "client_of_another_partner"),
    ]  # fmt: skip
    direct = replace(CASE, is_settled=True)
    assert _said(direct, CODE) == [("kept", "client_direct")]


@pytest.mark.parametrize(
    ("claim", "case", "reason"),
    [
        (replace(CLICK, partner=None, entity_id=None), CASE, "unknown_click"),
        (replace(CODE, partner=None, entity_id=None), CASE, "unknown_partner"),
        (replace(CLICK, entity_id=2), CASE, "other_entity"),
        (CLICK, replace(CASE, own_of=frozenset({P2})), "own_client"),
        (CLICK, replace(CASE, terminated=frozenset({P2})), "partner_terminated"),
        (replace(CLICK, is_archived=True), CASE, "link_archived"),
        (replace(CLICK, moment_ms=NOW + SKEW_MS + 1), CASE, "click_after_registration"),
        (replace(CLICK, moment_ms=NOW - 90 * DAY_MS - 1), CASE, "outside_window"),
    ],
)
def test_what_cannot_be_followed_is_named_and_leaves_room_for_others(
    claim: Claim, case: Case, reason: str
) -> None:
    assert _said(case, claim) == [("refused", reason)]
    other = replace(CLICK, partner=P3, evidence="c9")
    assert _said(case, claim, other) == [("refused", reason), ("attributed", "attributed")]


def test_weeks_between_click_and_registration_are_within_the_window_to_the_last_millisecond() -> (
    None
):
    oldest = replace(CLICK, moment_ms=NOW - 90 * DAY_MS)
    assert _said(CASE, oldest) == [("attributed", "attributed")]
    year = replace(CLICK, moment_ms=NOW - 365 * DAY_MS)
    assert _said(CASE, year, rules=Rules(window_days=0)) == [("attributed", "attributed")]


def test_the_clocks_of_two_machines_may_differ_by_a_little() -> None:
    assert _said(CASE, replace(CLICK, moment_ms=NOW + SKEW_MS)) == [("attributed", "attributed")]


def test_the_last_or_the_first_click_of_a_visitor_counts() -> None:
    later = replace(CLICK, evidence="c3", partner=P3, moment_ms=NOW - 1, is_visitors=True)
    after = replace(later, evidence="c4", moment_ms=NOW + DAY_MS)
    assert _said(CASE, CLICK, later, after) == [
        ("kept", "other_click"),
        ("attributed", "attributed"),
        ("refused", "click_after_registration"),
    ]
    assert _said(CASE, CLICK, later, rules=Rules(model="first")) == [
        ("attributed", "attributed"), ("kept", "other_click"),
    ]  # fmt: skip


def test_the_registration_s_own_claim_goes_before_what_a_deposit_claims() -> None:
    deposit = replace(CODE, first_hand=False, told_id="2")
    assert _said(CASE, deposit, CLICK) == [("kept", "later_claim"), ("attributed", "attributed")]
    assert _said(CASE, deposit) == [("attributed", "attributed")]


def test_the_order_of_claims_does_not_matter() -> None:
    claims = [
        CLICK,
        replace(CLICK, evidence="c3", partner=P3, moment_ms=NOW - 5),
        replace(CLICK, evidence="c4", partner=P3, moment_ms=NOW - 5, told_id="2"),
        replace(CODE, first_hand=False, told_id="3"),
        replace(CLICK, evidence="c5", is_archived=True),
    ]
    outcomes = {
        frozenset((one.claim.evidence, one.decision, one.reason) for one in found)
        for order in permutations(claims)
        for found in [decide(CASE, order, Rules())]
    }
    assert len(outcomes) == 1
