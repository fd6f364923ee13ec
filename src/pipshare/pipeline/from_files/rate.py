"""Rates files without a database, by the same kernels that book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl

from pipshare import attribution, rating
from pipshare.attribution import Attributed
from pipshare.market import Server
from pipshare.money import payable_e8
from pipshare.period import Clock
from pipshare.pipeline.from_files.quoted import with_quotes
from pipshare.pipeline.from_files.sheets import Refused
from pipshare.pipeline.from_files.trades import settled
from pipshare.pipeline.from_files.world import Files, World, read_world
from pipshare.plans.terms import ANY_CARD, RateRule
from pipshare.rating import Rated, Reason
from pipshare.rating.placed import Placed, joined, placed
from pipshare.rating.settled import payees_of
from pipshare.trades.read import SETTLED

HISTORY = 4  # a standing that rating leaves alone: closed before the server's go-live


@dataclass(frozen=True)
class Line:
    """One line: what a payee earns by a trade, an event or a period, in his wallet's currency."""

    trade: str | None
    event: str | None
    period: str | None
    partner: str
    level: int
    component: str
    amount_e8: int
    currency: str
    rule: str
    reason: str
    held: bool = False


@dataclass(frozen=True)
class Waiting:
    """What is not rated yet, and what it waits for; component "" = the whole trade."""

    trade: str | None
    reason: str
    component: str = ""
    level: int = 0
    partner: str = ""
    key: str = ""


@dataclass(frozen=True)
class Total:
    """A payee's sum in one currency, and how much of it is payable."""

    partner: str
    currency: str
    amount_e8: int
    payable_e8: int


@dataclass
class Result:
    """Everything that rating the files came to. `unrated`: trades that nobody earns from."""

    lines: list[Line] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    unrated: list[tuple[str, str]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def rate_files(files: Files) -> Result:
    """Read the files and rate what they hold. Raises BadInput where nothing can be rated."""
    world = read_world(files)
    result = Result(refused=sorted(world.refused, key=lambda one: (one.file, one.line)))
    for entity in world.entities():
        trades, names = entity_trades(world, entity, result)
        if trades is not None:
            _rate_trades(world, trades, names, world.clock(entity), result)
    result.totals = _totals(result.lines)
    return result


def entity_trades(world: World, entity: str, result: Result) -> tuple[Placed | None, list[str]]:
    """Return the trades of an entity's servers that somebody earns from, and their tickets."""
    parts, names = [], []
    for server in world.servers.values():
        mine = world.entity_of[server.code] == entity and len(world.trades) > 0
        rows = world.trades.filter(server=server.code) if mine else world.trades.clear()
        if len(rows):
            part = place(world, server, rows, result)
            names += [rows["name"][at] for at in part.rows.tolist()]
            parts.append(part)
    return (joined(parts) if parts else None), names


def place(world: World, server: Server, rows: pl.DataFrame, result: Result) -> Placed:
    """Attribute one server's trades and place those that somebody earns from."""
    book = world.symbols[server.code]
    frame = settled(rows, SETTLED, server, guess=not world.needs_openings)
    frame = with_quotes(frame, rows, server, book, world.quotes)
    who = attribute(world, server, frame)
    _say_unrated(who, rows["name"].to_list(), result)
    countries = [world.people.country.get(client, "") for client in who.client_id.tolist()]
    return placed(frame.with_columns(country=pl.Series(countries, dtype=pl.String)), who, book)


def _rate_trades(
    world: World, trades: Placed, names: list[str], clock: Clock, result: Result
) -> None:
    """Rate by trade what does not build up."""
    rated = rating.rate_trades(
        trades.trades, trades.symbols, trades.groups, trades.chains, book=world.book,
        payees=payees_of(world.partners), fx=world.fx, clock=clock,
    )  # fmt: skip
    result.lines += _lines(world, rated, names)
    result.waiting += _waiting(world, rated, names)


def attribute(world: World, server: Server, frame: pl.DataFrame) -> Attributed:
    """Attribute one server's trades; those closed before its go-live stand as history."""
    directory = world.accounts.directory(server, world.groups[server.code])
    who = attribution.attribute_known(directory, frame)
    early = frame["close_utc"].to_numpy() < (server.go_live_ms or 0)
    standing = np.where((who.standing != attribution.Standing.UNKNOWN) & early, HISTORY,
                        who.standing)  # fmt: skip
    return replace(who, standing=standing.astype(np.int8))


def _say_unrated(who: Attributed, names: list[str], result: Result) -> None:
    """Note the trades that wait for who they belong to, and those that nobody earns from."""
    for row in np.flatnonzero(who.standing != attribution.Standing.INTRODUCED).tolist():
        word = attribution.Why(int(who.why[row])).name.lower()
        if who.standing[row] == attribution.Standing.UNKNOWN:
            result.waiting.append(Waiting(names[row], word))
        else:
            early = who.standing[row] == HISTORY
            result.unrated.append((names[row], "before_go_live" if early else word))


def _lines(world: World, rated: Rated, names: list[str]) -> list[Line]:
    lines = rated.lines
    codes = dict(zip(world.partners.ids.tolist(), world.partners.codes, strict=True))
    components = component_codes(world)
    columns = (
        lines.trade_row, lines.component_id, lines.level, lines.partner_id, lines.rate_id,
        lines.reason, lines.amount_e8, lines.wallet, lines.held,
    )  # fmt: skip
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [
        Line(
            names[row], None, None, codes.get(partner, ""), level, components[component], amount,
            rated.currencies[wallet], rule_text(world, rate_id), Reason(reason).name.lower(),
            bool(held),
        )
        for row, component, level, partner, rate_id, reason, amount, wallet, held in rows
    ]  # fmt: skip


def _waiting(world: World, rated: Rated, names: list[str]) -> list[Waiting]:
    codes = dict(zip(world.partners.ids.tolist(), world.partners.codes, strict=True))
    components = component_codes(world)
    found = []
    for one in rated.waits.iter_rows(named=True):
        partner, key = codes.get(one["partner_id"], ""), one["key"]
        if one["reason"] in ("no_terms", "not_in_force"):
            key = partner
        component = components.get(one["component_id"], "")
        name = names[one["trade_row"]]
        found.append(Waiting(name, one["reason"], component, one["level"], partner, key))
    return found


def component_codes(world: World) -> dict[int, str]:
    """Return each component's code by its number."""
    return {number: code for (_, code), number in world.programmes.component_ids.items()}


def rule_text(world: World, rate_id: int) -> str:
    """Say which rate of which file priced a line: "plan.toml:14, level 1: 7.00 USD per lot"."""
    found = world.programmes.rate_ids.get(rate_id)
    if found is None:
        return ""
    version, component, rate = found
    programme = world.programmes.versions[version].programme
    part = programme.components[component]
    rule = part.rates[rate]
    said = [f"{world.programmes.files[version]}:{rule.line}", part.code, *_whom(rule)]
    return ", ".join(said)


def _whom(rule: RateRule) -> list[str]:
    told: Mapping[str, Any] = {
        "card": None if rule.card == ANY_CARD else rule.card, "level": rule.level,
        "group": rule.account_group, "account type": rule.account_type, "symbol": rule.symbol,
        "symbol group": rule.symbol_group, "country": rule.country, "side": rule.side,
        "from": rule.start or None,
    }  # fmt: skip
    return [f"{word} {value}" for word, value in told.items() if value is not None]


def _totals(lines: list[Line]) -> list[Total]:
    sums: dict[tuple[str, str], int] = {}
    free: dict[tuple[str, str], int] = {}
    for line in lines:
        key = (line.partner, line.currency)
        sums[key] = sums.get(key, 0) + line.amount_e8
        free[key] = free.get(key, 0) + (0 if line.held else line.amount_e8)
    return [Total(*key, amount, payable_e8(free[key], key[1])) for key, amount in sums.items()]
