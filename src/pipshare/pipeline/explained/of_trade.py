"""What a trade adds to what builds up: its own lines there, and the windows that they count in."""

from __future__ import annotations

from dataclasses import dataclass

from pipshare.pipeline.explained.sums import Asked, Payee, Window, span_at, window_of
from pipshare.pipeline.explained.worked import (
    MOST,
    Earned,
    TooMany,
    Worked,
    work_clients,
    work_trees,
)
from pipshare.pipeline.run import Run
from pipshare.pipeline.twin_facts import fx_facts
from pipshare.rating.qualify import asks_trades
from pipshare.rating.twin.periods import part_of_sum
from pipshare.rating.twin.run import Run as TwinRun
from pipshare.rating.twin.run import building_ids, decided
from pipshare.rating.twin.state import State
from pipshare.rating.twin.words import short
from pipshare.rating.twin_placed import broker_day
from pipshare.rating.twin_values import Partner, TradeFacts, TwinResult
from pipshare.rating.windows import is_of_clients

Given = tuple[TradeFacts, tuple[Partner, ...]]


@dataclass(frozen=True)
class Part:
    """A trade's part of one window: its own lines (or those of the period's sum, to which it adds
    what `adds` says), and the window as a whole."""

    window: Window
    lines: list[Earned]
    adds: str = ""


def parts_of_trade(
    run: Run, entity_id: int, given: Given, client: tuple[int, str] | None, most: int = MOST
) -> list[Part]:
    """Return the trade's part of every window that it touches, by component and level.

    `client`: his number and code, for his rebates. `most`: trades of a window up to which it is
    worked out.
    """
    trade, chain = given
    made = decided(trade, chain, fx_facts(run), broker_day(run.clock(entity_id)), State())
    if isinstance(made, TwinResult):
        return []
    ids = made.decision.version.component_ids
    built = building_ids(made.decision)
    trees = [number for number, one in zip(ids, made.programme.components, strict=True)
             if number in built and not is_of_clients(one)]  # fmt: skip
    out: list[Part] = []
    if trees:
        shards = {run.shard(chain[0].id)}
        spans = {number: span_at(run, entity_id, number, trade.close_utc_ms) for number in trees}
        for live_only in (False, True):
            some = [n for n in trees if (made.programme.components[ids.index(n)].per != "trade")
                    == live_only]  # fmt: skip
            if some:
                span = min(spans[n][0] for n in some), max(spans[n][1] for n in some)
                worked = work_trees(run, entity_id, some, shards, span, most)
                for number in some:
                    asked = number, spans[number]
                    out += _parts(run, entity_id, *asked, given, made, worked, client)
    out += _of_client(run, entity_id, given, made, most)
    order = {number: place for place, number in enumerate(ids)}
    return sorted(out, key=lambda one: order[one.window.component_id])


def _parts(
    run: Run, entity_id: int, number: int, span: tuple[int, int], given: Given, made: TwinRun,
    worked: Worked | TooMany, client: tuple[int, str] | None,
) -> list[Part]:  # fmt: skip
    trade, chain = given
    component = made.programme.components[made.decision.version.component_ids.index(number)]
    payees = [Payee("partner", one.id, one.name) for one in chain]
    if client is not None and component.rebate is not None:
        payees.insert(0, Payee("client", *client))
    out = []
    for payee in payees:
        for window in window_of(run, entity_id, Asked(number, payee, *span), worked):
            mine = [
                one
                for one in window.lines
                if (one.server, one.ticket) == (trade.server, trade.ticket) and one.ticket
            ]
            adds = ""
            if component.per != "trade":
                mine = [one for one in window.lines if not one.ticket]
                adds = _adds(made, number, component.basis)
            if mine or isinstance(worked, TooMany):
                out.append(Part(window, mine, adds))
    return out


def _adds(made: TwinRun, number: int, basis: str) -> str:
    """Say what a trade adds to the sum of its period."""
    place = made.decision.version.component_ids.index(number)
    if basis == "earned":
        return ""
    found = part_of_sum(made, place, made.programme.components[place])
    if found is None:
        return f"adds nothing to the {basis} of the period"
    value, _, currency = found
    unit = currency or "lots"
    return f"adds {short(value)} {unit} to the {basis} of the period"


def _of_client(run: Run, entity_id: int, given: Given, made: TwinRun, most: int) -> list[Part]:
    """Return what is paid for the client because of this trade: it made him qualify."""
    trade = given[0]
    out: list[Part] = []
    if trade.client_id is None:
        return out
    for number, component in zip(
        made.decision.version.component_ids, made.programme.components, strict=True
    ):
        asked = component.qualify or made.programme.qualify
        if not is_of_clients(component) or asked is None or not asks_trades(asked):
            continue
        worked = work_clients(run, entity_id, number, [trade.client_id], most)
        if isinstance(worked, TooMany):
            continue
        mine = [one for one in worked.lines
                if one.client_id == trade.client_id and one.moment_ms == trade.close_utc_ms
                and not one.event and one.line.component_id == number]  # fmt: skip
        names = {one.id: one.name for one in given[1]}
        for line in mine:
            payee = Payee("partner", line.line.partner_id, names.get(line.line.partner_id, ""))
            asked_of = Asked(number, payee, line.start_ms, line.end_ms)
            for window in window_of(run, entity_id, asked_of, worked):
                out.append(Part(window, [line]))
    return out
