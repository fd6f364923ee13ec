"""Checks that what a component says has a meaning on its basis and for its period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from pipshare.plans.bands import DEPOSIT_MEASURES
from pipshare.plans.conditions import Conditions
from pipshare.plans.periods import Carry
from pipshare.plans.problems import Problems, quoted
from pipshare.plans.qualifying import Qualify
from pipshare.plans.ranks import rank_key
from pipshare.plans.terms import Component, Programme, Spread

Found = Iterator[tuple[int, str]]
VOLUME = ("lot", "points", "spread", "markup", "notional")  # multiplied by lots
RESULTS = ("commission", "profit", "loss", "result", "revenue")  # sums of money of the trade
MONEY = ("spread", "markup", "commission", "result", "revenue")  # `less` is taken from their sum
_OF_EVENTS = ("countries", "not_countries", "from_ms", "until_ms")
SIDED = ("lot", "points", "spread", "markup", "notional")


def check_fits(component: Component, programme: Programme, problems: Problems) -> None:
    """Note keys that have no meaning where they stand."""
    for check in (_keys, _period, _carry, _rates):
        for line, text in check(component):
            problems.add(line, text)
    asked = component.qualify or programme.qualify
    if component.event == "qualified" and asked is not None:
        for line, text in _one_currency(component, asked):
            problems.add(line, text)
    if component.event == "qualified" and not asked:
        problems.add(component.line, 'event = "qualified" needs [component.qualify] (or '
                     "[programme.qualify]): when does a client count?")  # fmt: skip


def _one_currency(component: Component, asked: Qualify) -> Found:
    """What a client has to deposit and what he is paid for by that are the same money."""
    tier = component.tier
    by_steps = tier is not None and tier.measure in DEPOSIT_MEASURES
    if tier is not None and by_steps and asked.currency not in ("", tier.currency):
        yield (tier.line, f"the bands count deposits in {tier.currency}, [component.qualify] asks "
               f"for them in {asked.currency}: write one currency in both")  # fmt: skip


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
    if component.event and basis not in ("fixed", "deposits"):
        yield line, f"event belongs to the bases fixed and deposits, not to {basis}"
    elif component.qualify and not component.of_clients:
        yield (component.qualify.line, "[component.qualify] says for which clients an amount is "
               'paid: it needs event = "qualified"; that only trades of qualified clients pay is '
               "said for the whole programme, in [programme.qualify]")  # fmt: skip
    if basis == "fixed" and not component.event:
        yield (line, 'the basis fixed needs an event: event = "qualified", "registration" or '
               '"trade"')  # fmt: skip
    for cap in component.caps if component.of_clients else ():
        if cap.unit == "lots":
            yield cap.line, "what is paid for a client has no lots: write an amount of money"
    if basis == "deposits":
        yield from _deposits(component)
    elif component.deposits != "all":
        yield line, f'deposits belongs to basis = "deposits", not to {basis}'
    if component.conditions.hedged and basis not in VOLUME:
        yield line, f"hedged volume is netted on the bases {quoted(VOLUME)}, not on {basis}"


def _deposits(component: Component) -> Found:
    line = component.line
    if component.event not in (None, "qualified"):
        yield (line, f'event = "{component.event}" has no deposit: write event = "qualified", or '
               'per = "month"')  # fmt: skip
    elif component.event and component.per != "trade":
        yield (line, f'what is paid when a client qualifies is of no {component.per}: remove event '
               "or per")  # fmt: skip
    elif component.event is None and component.per == "trade":
        yield (line, "deposits are of no trade: write event = \"qualified\" (paid for each client "
               'who qualifies, and for what he deposits later), or per = "month" (or day, week, '
               "quarter)")  # fmt: skip
    if component.event and component.deposits == "net":
        yield (line, 'what is withdrawn later takes back nothing that was paid for a client: '
               'deposits = "net" needs per = "month" instead of event')  # fmt: skip
    if component.event is None:
        yield from _no_trades(component)
    if component.event is None and not component.currency:
        yield (line, 'deposits are summed in one currency: write it in [[component]], for example '
               'currency = "USD"')  # fmt: skip


def _no_trades(component: Component) -> Found:
    """Deposits are no trades: of the conditions those of clients and of the campaign are left."""
    asked, plain = component.conditions, Conditions()
    for one in fields(Conditions):
        if one.name not in _OF_EVENTS and getattr(asked, one.name) != getattr(plain, one.name):
            yield (
                component.line,
                f"{one.name} is asked of trades, and deposits are none: on the "
                "basis deposits the conditions are countries, not_countries, from and until",
            )
    if component.min_hold_s is not None:
        yield component.line, "deposits are not held for seconds: remove min_hold_seconds"


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


def _carry(component: Component) -> Found:
    carry, line = component.carry, component.line
    if carry is None:
        return
    if carry.negative == "reset" and replace(carry, across=()) != Carry("reset"):
        yield (line, 'with negative = "reset" all below zero is forgiven: remove forgive, share, '
               'periods and within, or write negative = "carry"')  # fmt: skip
    if carry.within == component.per or (carry.within == "month" and component.per == "trade"):
        yield (line, f'within = "{carry.within}" is the period itself, so that nothing is ever '
               'carried: write negative = "reset", or a longer one')  # fmt: skip
    elif (carry.within, component.per) == ("month", "quarter"):
        yield line, 'within = "month" is shorter than the period: write within = "year"'


def _rates(component: Component) -> Found:
    shares = any(rule.of for rule in component.rates)
    for rule in component.rates:
        if rule.side and shares:
            yield (rule.line, "opening and closing are priced apart, and what the level below "
                   "earned has no sides: write the rates with `of` in a component of their "
                   "own")  # fmt: skip
        if rule.side and component.basis not in SIDED:
            yield rule.line, f"side belongs to the bases {quoted(SIDED)}, not to {component.basis}"
        per_client = component.event not in (None, "trade")
        if per_client and (rule.symbol or rule.symbol_group):
            yield rule.line, f'event = "{component.event}" has no symbol: remove it'
