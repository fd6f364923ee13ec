"""Numbers back into the names of the files: partners, components, rules, windows, tickets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from pipshare.pipeline.from_files.outcome import Guarded, Line, Waiting
from pipshare.pipeline.from_files.world import World
from pipshare.plans.terms import ANY_CARD, Component, RateRule
from pipshare.rating import Reason
from pipshare.rating.windows import bounds, numbers, reach
from pipshare.rating.windows.calendar import Unit
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.names import window_name

# What follows from the sum of a window names no event: the reason says which rule it was.
_RULES = ("tier", "carried", "reset", "advanced")


class Spoken:
    """The lines and waits of one entity, in words. `names` are the tickets of its trades."""

    def __init__(self, world: World, given: Given, names: Sequence[str]) -> None:
        self._world, self._given, self._names = world, given, names
        self._partners = dict(zip(world.partners.ids.tolist(), world.partners.codes, strict=True))
        self._clients = {number: code for (_, code), number in world.people.clients.items()}
        self._components: dict[int, Component] = {}
        for version in world.programmes.versions:
            self._components |= dict(
                zip(version.component_ids, version.programme.components, strict=True)
            )

    def lines(self, frame: pl.DataFrame) -> Iterable[Line]:
        """Return a frame of rating.windows.lines.LINES in words."""
        periods = self._periods(frame)
        for row, period in zip(frame.iter_rows(named=True), periods, strict=True):
            component = self._components[row["component_id"]]
            of_client = row["partner_id"] == 0
            event = row["event"] if row["event"] and row["event"] not in _RULES else None
            yield Line(
                trade=self._ticket(row["trade_row"]),
                event=event,
                period=period,
                payee=self._clients.get(row["client"], "") if of_client
                else self._partners[row["partner_id"]],
                kind="client" if of_client else "partner",
                level=row["level"],
                component=component.code,
                amount_e8=row["amount_e8"],
                currency=row["wallet"],
                rule=rule_text(self._world, row["rate_id"], component),
                reason=Reason(row["reason"]).name.lower(),
                held_by=row["held_by"] or "",
                earned_ms=row["moment_ms"],
                hold_days=component.hold_days,
            )  # fmt: skip

    def waits(self, frame: pl.DataFrame) -> Iterable[Waiting]:
        """Return a frame of waits in words."""
        for row in frame.iter_rows(named=True):
            partner = self._partners.get(row["partner_id"], "")
            component = self._components.get(row["component_id"])
            key = row["key"]
            if row["reason"] in ("no_terms", "not_in_force"):
                key = partner
            event = row.get("event") or None
            code = component.code if component else ""
            yield Waiting(self._ticket(row["trade_row"]), event, row["reason"], code,
                          row["level"], partner, key)  # fmt: skip

    def guarded(self, frame: pl.DataFrame | None) -> Iterable[Guarded]:
        """Return what margin guards say of trades."""
        for row in frame.iter_rows(named=True) if frame is not None else ():
            yield Guarded(
                self._names[row["trade_row"]], row["programme"], row["action"], row["currency"],
                row["revenue_e8"], row["limit_e8"], row["paid_e8"],
            )  # fmt: skip

    def _ticket(self, place: int) -> str | None:
        return self._names[place] if place >= 0 else None

    def _periods(self, frame: pl.DataFrame) -> list[str]:
        """Return the name of the window in which each line is booked."""
        out = np.full(len(frame), "", object)
        number = frame["component_id"].to_numpy()
        moment = frame["moment_ms"].to_numpy()
        for component_id, component in self._components.items():
            rows = np.flatnonzero(number == component_id)
            if len(rows):
                unit: Unit = reach(component).booked if component.builds_up else "month"
                window = numbers(moment[rows], unit, self._given.clock)
                start = bounds(window, unit, self._given.clock)[0]
                walls = self._given.clock.from_utc(start)
                out[rows] = [window_name(wall, unit) for wall in walls.tolist()]
        return [str(one) for one in out]


def rule_text(world: World, rate_id: int, component: Component) -> str:
    """Say which rate of which file priced a line: "plan.toml:14, lots, level 1"."""
    found = world.programmes.rate_ids.get(rate_id)
    if found is None:
        files = {
            one.code: file
            for version, file in zip(world.programmes.versions, world.programmes.files, strict=True)
            for one in version.programme.components if one is component
        }  # fmt: skip
        return f"{files.get(component.code, '')}:{component.line}, {component.code}"
    version, place, rate = found
    part = world.programmes.versions[version].programme.components[place]
    rule = part.rates[rate]
    return ", ".join([f"{world.programmes.files[version]}:{rule.line}", part.code, *_whom(rule)])


def _whom(rule: RateRule) -> list[str]:
    told: Mapping[str, Any] = {
        "card": None if rule.card == ANY_CARD else rule.card, "level": rule.level,
        "group": rule.account_group, "account type": rule.account_type, "symbol": rule.symbol,
        "symbol group": rule.symbol_group, "country": rule.country, "side": rule.side,
        "from": rule.start or None,
    }  # fmt: skip
    return [f"{word} {value}" for word, value in told.items() if value is not None]
