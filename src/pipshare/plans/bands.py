"""Checks tiers: their bands without a hole, and what can be counted how."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from pipshare.plans.exact_text import amount_text
from pipshare.plans.problems import Problems
from pipshare.plans.ranks import rank_key
from pipshare.plans.terms import Component, RateRule

MONEY_MEASURES = ("notional", "revenue", "value", "deposits", "first_deposit", "earned")
DEPOSIT_MEASURES = ("deposits", "first_deposit")
_NO_TIER = "{key} is where a band of a tier {does}: this component has no [component.tier]"


def check_bands(component: Component, ends: Mapping[int, Fraction], problems: Problems) -> None:
    """Note bands without a tier, and a tier table with a hole; `ends` as the file says them."""
    if component.tier is None:
        for rule in component.rates:
            if rule.start:
                problems.add(rule.line, _NO_TIER.format(key="from", does="begins"))
            if rule.ordinal in ends:
                problems.add(rule.line, _NO_TIER.format(key="to", does="ends"))
        return
    groups: dict[tuple[object, ...], list[RateRule]] = {}
    for rule in component.rates:
        groups.setdefault(rank_key(rule), []).append(rule)
    for group in groups.values():
        bands = sorted(group, key=lambda rule: rule.start)
        if bands[0].start and component.tier.method != "ladder":
            problems.add(bands[0].line, "a tier table with a hole: nothing holds from 0 to "
                         f"{amount_text(bands[0].start, 0)}; to pay nothing there write a band "
                         'with from = 0 that pays "0"')  # fmt: skip
        for band, following in zip(bands, [*bands[1:], None], strict=True):
            if band.ordinal in ends:
                _check_end(band, ends[band.ordinal], following, problems)


def _check_end(
    band: RateRule, end: Fraction, following: RateRule | None, problems: Problems
) -> None:
    to = amount_text(end, 0)
    if following is None:
        problems.add(band.line, f"a tier table with a hole: nothing holds from {to} on; remove "
                     "`to` from the last band, or add one with from = " + to)  # fmt: skip
    elif end < following.start:
        problems.add(band.line, f"a tier table with a hole: this band ends at {to}, the next one "
                     f"(line {following.line}) begins at "
                     f"{amount_text(following.start, 0)}")  # fmt: skip
    elif end > following.start:
        problems.add(band.line, f"bands overlap: this one ends at {to}, the next one (line "
                     f"{following.line}) begins at "
                     f"{amount_text(following.start, 0)} already")  # fmt: skip


def check_tier(component: Component, problems: Problems) -> None:
    """Note what a tier cannot count on its component's basis, and words that have no meaning."""
    if component.tier is not None:
        for text in _tier(component):
            problems.add(component.tier.line, text)


def _tier(component: Component) -> Iterator[str]:
    tier = component.tier
    assert tier is not None
    per_client = component.event == "qualified"
    fixed = component.basis == "fixed"
    if tier.measure in (*DEPOSIT_MEASURES, "conversions") and not per_client:
        yield (f"the measure {tier.measure} is for amounts per qualified client: basis = "
               '"fixed", event = "qualified"')  # fmt: skip
    if tier.method == "ladder" and component.basis != "fixed":
        yield 'a ladder pays the steps of an amount per event: it needs basis = "fixed"'
    if per_client and not fixed:
        yield ("a share of what each client deposits has one rate; bands are for amounts per "
               'qualified client: basis = "fixed"')  # fmt: skip
    if tier.measure in DEPOSIT_MEASURES and (tier.window != "life" or tier.applies == "following"):
        yield (f"the measure {tier.measure} is of one client and his whole life: remove window and "
               "applies")  # fmt: skip
    if tier.measure in DEPOSIT_MEASURES and tier.method == "marginal":
        yield (f'a client is paid one amount for his {tier.measure}: write method = "ladder" or '
               '"retroactive", or leave it out')  # fmt: skip
    if tier.method == "ladder" and fixed and per_client and tier.measure not in DEPOSIT_MEASURES:
        yield (f"a ladder per qualified client counts his deposits, not {tier.measure}: measure = "
               '"deposits"; for other steps write a component for each, with a [component.qualify] '
               "of its own")  # fmt: skip
    if tier.measure in ("value", "revenue") and (
        component.basis in ("lot", "fixed") or component.unit != "money"
    ):
        yield f'the measure {tier.measure} is money, which this basis has not: measure = "lots"'
    if tier.measure == "earned" and not tier.of_component:
        yield 'the measure earned needs of_component: of_component = "lots"'
    if tier.of_component and tier.measure != "earned":
        yield f"of_component belongs to the measure earned, not to {tier.measure}"
    if tier.measure in MONEY_MEASURES and not tier.currency:
        yield (f"the measure {tier.measure} needs a currency: write it here or in [programme], "
               'currency = "USD"')  # fmt: skip
    rolling = tier.window == "rolling"
    if not rolling and (tier.length, tier.unit, tier.average) != (1, "month", False):
        yield 'length, unit and average belong to window = "rolling"'
    current = tier.applies == "current"
    if rolling and tier.method == "marginal" and current:
        yield ("a rolling window forgets, so no trade has a place in its bands: write method = "
               '"retroactive", or applies = "following"')  # fmt: skip
    if tier.method != "retroactive" and current and (tier.promotion != "free" or tier.grace):
        yield ('promotion and grace are about whole windows: write method = "retroactive", or '
               'applies = "following"')  # fmt: skip
    if tier.method == "ladder" and not current:
        yield 'a ladder pays each step when it is reached: remove applies = "following"'
