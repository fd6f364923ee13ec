"""How far a component reaches: which trades must be known together, and how its lines are summed.

What one trade earns may depend on others of its window, before it or (a retroactive tier) after it,
and on the windows before: a rolling tier, a band that follows from the last month. So a trade
touches its own window and as many after it, and a window is settled from complete windows only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipshare.plans.terms import Component, Programme
from pipshare.rating.windows.calendar import Unit

_ORDER: tuple[Unit, ...] = ("day", "week", "month", "quarter", "year", "life")
_CAPS: dict[str, Unit] = {
    "client_day": "day", "client_life": "life", "partner_day": "day", "partner_week": "week",
    "partner_month": "month",
}  # fmt: skip


@dataclass(frozen=True)
class Reach:
    """`window`: trades of one of these depend on each other. `back`: so many windows before it must
    be known too. `booked`: its lines are summed by this one, which is never longer than a month
    unless the component itself is per quarter."""

    window: Unit
    back: int
    booked: Unit


def reach(component: Component, programme: Programme | None = None) -> Reach:
    """Return the reach of a component that builds up.

    With its programme, also as far as the components reach whose sums it looks at: those that it
    nets with, earns back or takes a share of.
    """
    units, back = _parts(component)
    if programme is not None:
        by_code = {other.code: other for other in programme.components}
        for code in _looked_at(component, by_code):
            if by_code[code].builds_up:
                other = reach(by_code[code])
                units.append(other.window)
                back += other.back
    window = max(units, key=_ORDER.index)
    # Weeks do not nest in longer windows: one that begins before them has to be known whole.
    if "week" in units and window in ("month", "quarter", "year"):
        back += 1
    if component.per != "trade":
        return Reach(window, back, component.per)
    booked = max(_parts(component)[0], key=_ORDER.index)
    return Reach(window, back, booked if booked in ("day", "week") else "month")


def named(component: Component) -> set[str]:
    """Return the codes of the components whose sums a component looks at."""
    names = {component.advance, component.tier.of_component if component.tier else None}
    names |= set(component.carry.across if component.carry else ())
    if component.basis == "earned":
        names |= {rule.of for rule in component.rates}
    return {name for name in names if name}


def _looked_at(component: Component, by_code: Mapping[str, Component]) -> set[str]:
    """Return the codes of the components that a component looks at, and that these look at."""
    found: set[str] = set()
    ahead = [component]
    while ahead:
        one = ahead.pop()
        codes = named(one) | {rule.of for rule in one.rates if rule.of}
        new = {code for code in codes if code in by_code} - found - {component.code}
        found |= new
        ahead += [by_code[code] for code in new]
    return found


def _parts(component: Component) -> tuple[list[Unit], int]:
    units: list[Unit] = [_CAPS[cap.per] for cap in component.caps if cap.per != "order"]
    back = 0
    if component.per != "trade":
        units.append(component.per)
    elif component.basis in ("earned", "revenue"):
        units.append("month")
    if component.conditions.hedged is not None:
        units.append(component.conditions.hedged.window)
    if component.advance is not None or component.carry is not None or is_of_clients(component):
        units.append("life")
    tier = component.tier
    if tier is not None:
        if tier.window == "rolling":
            units.append(tier.unit)
            back = tier.length - 1
        else:
            units.append(tier.window)
        back += tier.applies == "following"
        if tier.promotion == "stepwise" or tier.grace:
            units.append("life")  # the band reached depends on all bands before
    return units or ["month"], back


def is_of_clients(component: Component) -> bool:
    """Tell whether a component pays for what happens to a client, and not for his trades."""
    return component.of_clients
