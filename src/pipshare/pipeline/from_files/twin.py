"""The scalar twin over files: the same trades rated by hand, with the working of every line."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pipshare.errors import Missing
from pipshare.market.fx import CENT_ID
from pipshare.money import format_e8
from pipshare.pipeline.from_files.outcome import Result
from pipshare.pipeline.from_files.rate import entity_trades
from pipshare.pipeline.from_files.windows import given_of
from pipshare.pipeline.from_files.world import Files, World, read_world
from pipshare.pipeline.twin_clients import Lives, client_costs, client_facts
from pipshare.rating.twin import ManyResult, rate_many
from pipshare.rating.twin_placed import broker_day, placed_facts
from pipshare.rating.twin_values import Fx
from pipshare.rating.windows.given import Given


@dataclass(frozen=True)
class ByHand:
    """What the twin makes of an entity's trades and events; `names` are the trades' tickets."""

    world: World
    names: list[str]
    result: ManyResult


def rate_by_hand(files: Files) -> list[ByHand]:
    """Rate the files' trades and events with the twin, in canonical order; by entity."""
    world = read_world(files)
    return [_entity_by_hand(world, entity) for entity in world.entities()]


def _entity_by_hand(world: World, entity: str) -> ByHand:
    trades, names = entity_trades(world, entity, Result())
    given = given_of(world, entity, trades)
    told = placed_facts(given.placed, world.book, world.partners)
    day, fx = broker_day(world.clock(entity)), exchange(world)
    lives = _lives(world, given)
    events, costs = client_facts(lives, told, fx, day), client_costs(lives, given.live_ms)
    result = rate_many(told, fx, day, events=events, charged=costs, building_only=False)
    return ByHand(world, names, result)


def _lives(world: World, given: Given) -> Lives:
    assert given.chains_at is not None
    country = world.people.country
    return Lives(
        book=world.book, partners=world.partners, events=world.events,
        chains=given.placed.chains, chains_at=given.chains_at,
        country=lambda client, _: country.get(client, ""),
        clients=sorted(world.people.clients.values()),
    )  # fmt: skip


def explain_trade(files: Files, ticket: str) -> list[dict[str, Any]]:
    """Return the lines of one trade with their working. Raises Missing for an unknown ticket."""
    by_entity = rate_by_hand(files)
    done = next((one for one in by_entity if ticket in one.names), by_entity[0])
    if ticket not in done.names:
        every = done.world.trades["name"].to_list() if len(done.world.trades) else []
        why = "nobody earns from it, or it waits" if ticket in every else "the file has no such one"
        raise Missing("no_trade", f"no lines of trade {ticket}: {why}")
    codes = dict(zip(done.world.partners.ids.tolist(), done.world.partners.codes, strict=True))
    place_ = done.names.index(ticket)
    return [
        {
            "component": line.component, "level": line.level,
            "partner": codes.get(line.partner_id, "the client"),
            "amount": format_e8(line.amount_e8), "currency": line.wallet,
            "reason": line.reason.name.lower(), "waits": line.wait.word if line.wait else None,
            "working": [{"step": step.label, "value": step.text} for step in line.working],
        }
        for line in (one.line for one in done.result.lines if one.place == place_)
    ]  # fmt: skip


def exchange(world: World) -> Fx:
    """Return the twin's way to the exchange rates of the files."""

    def find(
        base: str, quote: str, utc_ms: int, side: str = "mid"
    ) -> tuple[Fraction, int, str] | None:
        found = world.fx.find(base, quote, utc_ms, *(() if side == "mid" else (side,)))
        if found is None:
            return None
        source = "(by definition)" if abs(found[1]) in (0, CENT_ID) else "(from the file)"
        return (*found, source)

    return find
