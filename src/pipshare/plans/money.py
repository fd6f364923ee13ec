"""Checks the currencies of a component's caps and conversion, where the file proves them wrong."""

from __future__ import annotations

from collections.abc import Iterator

from pipshare.plans.fits import VOLUME
from pipshare.plans.problems import Problems, quoted
from pipshare.plans.terms import Component


def check_money(component: Component, problems: Problems) -> None:
    """Note a conversion of what is no money, and caps in another currency than their lines."""
    for line, text in (*_conversion(component), *_caps(component)):
        problems.add(line, text)


def _conversion(component: Component) -> Iterator[tuple[int, str]]:
    in_units = component.basis in ("spread", "markup") and component.unit != "money"
    if component.currency and (component.basis in ("lot", "fixed") or in_units):
        yield (component.line, f"currency converts a basis that is money, which {component.basis} "
               "here is not: the currency of an amount stands with the rate")  # fmt: skip


def _caps(component: Component) -> Iterator[tuple[int, str]]:
    currencies = {rule.currency or component.currency for rule in component.rates if not rule.of}
    others = currencies - {""}
    for cap in component.caps:
        if cap.level is not None and cap.level in component.skip_levels:
            yield cap.line, f"level {cap.level} is among the component's skip_levels"
        if cap.unit == "lots":
            if component.basis not in VOLUME or component.per != "trade":
                yield (cap.line, f"a cap in lots is for the bases {quoted(VOLUME)} and for single "
                       "trades: write it in money")  # fmt: skip
        elif wrong := sorted(others - {cap.currency}):
            yield (cap.line, f"the cap is in {cap.currency}, but lines are in {', '.join(wrong)}: "
                   "write it in their currency")  # fmt: skip
