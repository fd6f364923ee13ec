"""Checks what components say of each other: of, advance, of_component, across."""

from __future__ import annotations

from collections.abc import Iterator

from pipshare.plans.problems import Problems, quoted, suggestion
from pipshare.plans.terms import Component, Programme

Link = tuple[int, str, str]  # line, key, the component named


def check_links(programme: Programme, problems: Problems) -> None:
    """Note names of components that stand nowhere above, and circles."""
    by_code = {component.code: component for component in programme.components}
    earlier: dict[str, Component] = {}
    for component in programme.components:
        for line, key, code in _links(component):
            if code not in earlier:
                problems.add(line, _absent(component.code, key, code, list(earlier), by_code))
        for line, text in _shares(component, earlier):
            problems.add(line, text)
        earlier[component.code] = component
    for line, text in _across(programme, by_code):
        problems.add(line, text)


def _links(component: Component) -> Iterator[Link]:
    """Yield what must stand above a component: it is worked out before."""
    for rule in component.rates:
        if rule.of:
            yield rule.line, "of", rule.of
    if component.advance:
        yield component.line, "advance", component.advance
    if component.tier and component.tier.of_component:
        yield component.tier.line, "of_component", component.tier.of_component


def _absent(
    own: str, key: str, code: str, earlier: list[str], by_code: dict[str, Component]
) -> str:
    if code == own:
        return f'{key} = "{code}" is this component itself: name one above it'
    if code in by_code:
        circle = _way(code, own, by_code, ())
        if circle:
            return (f'{key} = "{code}" goes in a circle: {" -> ".join((own, *circle))}; what is '
                    "earned cannot stand on itself")  # fmt: skip
        return f'{key} = "{code}" stands below: move that component above this one'
    hint = suggestion(code, earlier) or (
        f" allowed: {quoted(earlier)}" if earlier else " this is the first component"
    )
    return f'{key} = "{code}" is no component above this one;{hint}'


def _way(
    code: str, goal: str, by_code: dict[str, Component], seen: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the way over links from one component to another, or nothing."""
    if code == goal:
        return (code,)
    for _, _, following in _links(by_code[code]):
        if following in by_code and following not in (*seen, code):
            way = _way(following, goal, by_code, (*seen, code))
            if way:
                return (code, *way)
    return ()


# What the sum of a period is made of.
_SUMMED = ("basis", "unit", "spread", "sides", "counts", "less", "currency", "value_fx",
           "min_hold_s", "conditions")  # fmt: skip
_SAID = {"spread": "[component.spread]", "conditions": "[component.when]",
         "min_hold_s": "min_hold_seconds"}  # fmt: skip


def _shares(component: Component, earlier: dict[str, Component]) -> Iterator[tuple[int, str]]:
    for rule in component.rates if component.basis != "earned" else ():
        if rule.of is None:
            continue
        if rule.level == 1:
            yield (rule.line, "a share of the level below cannot be for level 1: nobody is below "
                   "the direct IB; write level = 2 or higher")  # fmt: skip
        child = earlier.get(rule.of)
        if child is not None and _paid_for(child) != _paid_for(component):
            yield (rule.line, f'of = "{rule.of}" is paid per {_paid_for(child)}, this component '
                   f"per {_paid_for(component)}: a share of it is paid for the same")  # fmt: skip
        elif child is not None and component.per != "trade":
            other = next((name for name in _SUMMED
                          if getattr(child, name) != getattr(component, name)), None)  # fmt: skip
            if other is not None:
                name = _SAID.get(other, other)
                yield (rule.line, f'of = "{rule.of}" is a share of what the level below earned of '
                       f"one sum per {component.per}: make {name} of both the same")  # fmt: skip


def _paid_for(component: Component) -> str:
    if component.event not in (None, "trade"):
        return "qualified client" if component.event == "qualified" else "registration"
    return component.per


def _across(programme: Programme, by_code: dict[str, Component]) -> Iterator[tuple[int, str]]:
    netted: dict[str, str] = {}
    for component in programme.components:
        for code in component.carry.across if component.carry else ():
            other = by_code.get(code)
            where = f'across: "{code}"'
            if other is None:
                known = [name for name in by_code if name != component.code]
                yield component.line, f"{where} is no component;{suggestion(code, known)}"
            elif other is component:
                yield component.line, f"{where} is this component itself: it is netted anyway"
            elif other.per != component.per:
                yield (component.line, f"{where} is paid per {other.per}, this one per "
                       f"{component.per}: sums of different periods cannot be netted")  # fmt: skip
            elif other.carry is not None:
                yield (component.line, f"{where} has a [component.carry] of its own: say in one of "
                       "the two which are netted")  # fmt: skip
            elif code in netted:
                yield component.line, f"{where} is netted with {netted[code]} already"
            else:
                netted[code] = component.code
