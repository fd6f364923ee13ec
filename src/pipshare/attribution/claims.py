"""Whose client somebody becomes: THE rule over everything that was claimed of him.

Pure. A relation in force stands for life. Else the registration's own claims go before those that
came later, and among these, in this order: the CRM's field, a partner code typed at registration,
a click, a link's code without a click, a tag. Of a visitor's clicks the last or the first counts,
by the entity's setting. Whatever is not followed is kept with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

DAY_MS = 24 * 3600 * 1000
SKEW_MS = 60_000  # a click may seem so much later than the registration: two machines' clocks


class Via(StrEnum):
    """What a claim rests on; the earlier one stands before the later one."""

    CRM = "crm"
    PARTNER_CODE = "partner_code"
    CLICK = "click"
    LINK = "link"
    TAG = "tag"


class Decision(StrEnum):
    """What became of a claim."""

    ATTRIBUTED = "attributed"
    KEPT = "kept"  # sound, and not followed: another one stands
    REFUSED = "refused"


RANK = {via: rank for rank, via in enumerate(Via)}
LAST, FIRST = "last", "first"
REASONS = {
    "attributed": "the relation was made by this claim",
    "same_partner": "the client is this partner's already",
    "client_of_another_partner": "the client is another partner's, for life",
    "client_direct": "the client was declared direct: nobody introduced him",
    "later_claim": "the registration's own claim goes before what is claimed later",
    "stronger_claim": "another claim goes before it: CRM field, partner code, click, link, tag",
    "other_click": "another click of the same visitor counts, by the entity's setting",
    "earlier_claim": "another claim of the same kind was made before",
    "unknown_click": "nobody clicked under this id",
    "unknown_partner": "no partner has this code",
    "other_entity": "it is of another entity's partner",
    "partner_terminated": "the partner was terminated when the client registered",
    "own_client": "the client is this partner himself: somebody has to look",
    "link_archived": "the link was archived when it was clicked",
    "click_after_registration": "the click came after the registration",
    "outside_window": "the click was made too long before the registration",
}


@dataclass(frozen=True)
class Claim:
    """One claim. `evidence` is the code as typed, or the click's id; moments are UTC ms.

    `partner` and `entity_id` are None where nobody stands behind the evidence. `first_hand`: the
    registration itself says so. `is_visitors`: not the click that was told, but another one of the
    same visitor.
    """

    via: Via
    evidence: str
    partner: int | None
    entity_id: int | None
    moment_ms: int
    told_by: str
    told_id: str
    first_hand: bool = False
    is_visitors: bool = False
    is_archived: bool = False


@dataclass(frozen=True)
class Case:
    """What is known of the client. `in_force`: whose he is, None = direct, while `is_settled`.

    `own_of`: partners who are this client himself; `terminated`: partners who were terminated when
    he registered.
    """

    entity_id: int
    registered_ms: int
    is_settled: bool = False
    in_force: int | None = None
    own_of: frozenset[int] = frozenset()
    terminated: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Rules:
    """Settings of the entity: which click of a visitor counts, how old it may be (0 = any age)."""

    model: str = LAST
    window_days: int = 90


@dataclass(frozen=True)
class Judged:
    """A claim with what became of it; `reason` is a key of REASONS, `over` the one that won."""

    claim: Claim
    decision: Decision
    reason: str
    over: Claim | None = None


def decide(case: Case, claims: Sequence[Claim], rules: Rules) -> list[Judged]:
    """Judge the claims on one client, in their order; one at most is ATTRIBUTED.

    The outcome does not depend on the order of claims.
    """
    faults = [fault_of(case, claim, rules) for claim in claims]
    sound = [claim for claim, fault in zip(claims, faults, strict=True) if not fault]
    best = None if case.is_settled else _best(sound, rules)
    return [
        Judged(claim, Decision.REFUSED, fault) if fault else _of_sound(case, claim, best)
        for claim, fault in zip(claims, faults, strict=True)
    ]


def fault_of(case: Case, claim: Claim, rules: Rules) -> str:
    """Return why a claim cannot be followed whatever else was claimed; "" when it can."""
    if claim.partner is None:
        return "unknown_click" if claim.via is Via.CLICK else "unknown_partner"
    if claim.entity_id != case.entity_id:
        return "other_entity"
    if claim.partner in case.own_of:
        return "own_client"
    if claim.partner in case.terminated:
        return "partner_terminated"
    if claim.is_archived:
        return "link_archived"
    if claim.via is not Via.CLICK:
        return ""
    if claim.moment_ms > case.registered_ms + SKEW_MS:
        return "click_after_registration"
    earliest = case.registered_ms - rules.window_days * DAY_MS
    return "outside_window" if rules.window_days and claim.moment_ms < earliest else ""


def _best(sound: Sequence[Claim], rules: Rules) -> Claim | None:
    if not sound:
        return None
    first_hand = [claim for claim in sound if claim.first_hand] or sound
    strongest = min(RANK[claim.via] for claim in first_hand)
    running = [claim for claim in first_hand if RANK[claim.via] == strongest]
    last = rules.model == LAST and running[0].via is Via.CLICK
    return min(
        running,
        key=lambda one: (-one.moment_ms if last else one.moment_ms, one.evidence, one.told_id),
    )


def _of_sound(case: Case, claim: Claim, best: Claim | None) -> Judged:
    if case.is_settled:
        if case.in_force is None:
            return Judged(claim, Decision.KEPT, "client_direct")
        same = claim.partner == case.in_force
        return Judged(claim, Decision.KEPT, "same_partner" if same else "client_of_another_partner")
    assert best is not None
    if claim is best:
        return Judged(claim, Decision.ATTRIBUTED, "attributed")
    if claim.first_hand != best.first_hand:
        reason = "later_claim"
    elif claim.via is not best.via:
        reason = "stronger_claim"
    else:
        reason = "other_click" if claim.via is Via.CLICK else "earlier_claim"
    return Judged(claim, Decision.KEPT, reason, best)
