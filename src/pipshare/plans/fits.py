"""Checks that what a component says has a meaning on its basis and for its period."""

from __future__ import annotations

from collections.abc import Iterator

from pipshare.plans.problems import Problems, quoted
from pipshare.plans.ranks import rank_key
from pipshare.plans.terms import Component, Programme, Spread

Found = Iterator[tuple[int, str]]
VOLUME = ("lot", "points", "spread", "markup", "notional")  # multiplied by lots
RESULTS = ("commission", "profit", "loss", "result", "revenue")  # sums of money of the trade
MONEY = ("spread", "markup", "commission", "result", "revenue")  # `less` is taken from their sum
SIDED = ("lot", "points", "spread", "markup", "notional")


def check_fits(component: Component, programme: Programme, problems: Problems) -> None:
    """Note keys that have no meaning where they stand."""
    for check in (_keys, _period, _rates):
        for line, text in check(component):
            problems.add(line, text)
    if component.event == "qualified" and not (component.qualify or programme.qualify):
        problems.add(component.line, 'event = "qualified" needs [component.qualify] (or '
                     "[programme.qualify]): when does a client count?")  # fmt: skip


def _keys(component: Component) -> Found:
    line, basis = component.line, component.basis
    if component.unit != "money" and basis not in ("spread", "markup", "points"):
        yield line, f"unit belongs to the bases spread and markup, not to {basis}"
    if component.spread != Spread() and basis not in ("spread", "revenue"):
        yield line, f"[component.spread] belongs to the basis spread, not to {basis}"
    if component.sides != "close" and basis != "notional":
        yield line, f"sides belongs to the basis notional, not to {basis}"
    if component.counts and basis not in RESULTS:
        yield line, f"counts belongs to the bases {quoted(RESULTS)}, not to {basis}"
    if component.less:
        yield from _less(component)
    if component.event and basis != "fixed":
        yield line, f'event belongs to basis = "fixed", not to {basis}'
    if basis == "fixed" and not component.event:
        yield (line, 'the basis fixed needs an event: event = "qualified", "registration" or '
               '"trade"')  # fmt: skip
    if component.conditions.hedged and basis not in VOLUME:
        yield line, f"hedged volume is netted on the bases {quoted(VOLUME)}, not on {basis}"


def _less(component: Component) -> Found:
    line, basis = component.line, component.basis
    if basis not in MONEY or component.unit != "money":
        yield line, f"less is taken from money: it belongs to the bases {quoted(MONEY)}"
    elif component.per == "trade":
        yield (line, 'what a client cost is of no one trade: less needs per = "month" (or day, '
               "week, quarter)")  # fmt: skip
    if not component.currency:
        yield (line, 'less is taken from a sum in one currency: write it in [[component]], for '
               'example currency = "USD"')  # fmt: skip


def _period(component: Component) -> Found:
    line, per = component.line, component.per
    if component.basis == "revenue" and per == "trade" and component.carry is None:
        yield (line, 'revenue is of a period: write per = "month" (or day, week, quarter), or a '
               "[component.carry]")  # fmt: skip
    if component.basis == "earned" and per == "trade":
        yield line, 'the basis earned is of a period: write per = "month" (or day, week, quarter)'
    if per == "trade":
        return
    if component.basis == "fixed":
        yield line, f'an amount per event is paid at the event: remove per = "{per}"'
    if component.rebate:
        yield (line, f'a client has his part of each trade: remove [component.rebate] or per = '
               f'"{per}"')  # fmt: skip
    for cap in component.caps:
        if not cap.per.startswith("partner_"):
            yield (cap.line, f'a sum over a {per} is of no one {cap.per.split("_")[0]}: with per = '
                   f'"{per}" a cap is per partner_day, partner_week or partner_month')  # fmt: skip
    for rule in component.rates:
        if any(rank_key(rule)[2:]):
            yield (rule.line, f'a sum over a {per} is of all symbols, accounts and clients: with '
                   f'per = "{per}" a rate is told apart by card, level and from alone')  # fmt: skip


def _rates(component: Component) -> Found:
    shares = any(rule.of for rule in component.rates)
    for rule in component.rates:
        if rule.side and shares:
            yield (rule.line, "opening and closing are priced apart, and what the level below "
                   "earned has no sides: write the rates with `of` in a component of their "
                   "own")  # fmt: skip
        if rule.side and component.basis not in SIDED:
            yield rule.line, f"side belongs to the bases {quoted(SIDED)}, not to {component.basis}"
        per_client = component.basis == "fixed" and component.event != "trade"
        if per_client and (rule.symbol or rule.symbol_group):
            yield rule.line, f'event = "{component.event}" has no symbol: remove it'
