"""What builds up over the files' trades and events: the windows of every component, settled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from pipshare.attribution import ClientChains
from pipshare.pipeline.from_files.people import People
from pipshare.pipeline.from_files.world import World
from pipshare.rating.columns import TradeColumns
from pipshare.rating.finish import FREE
from pipshare.rating.placed import Placed
from pipshare.rating.qualify import lives
from pipshare.rating.rated import Rated
from pipshare.rating.settled import payees_of
from pipshare.rating.windows.calendar import bounds, numbers
from pipshare.rating.windows.given import Given
from pipshare.rating.windows.lines import lines_of
from pipshare.rating.windows.settle import held_for_kyc
from pipshare.rating.windows.standing import of_clients

_NONE, _NONE32 = np.zeros(0, np.int64), np.zeros(0, np.int32)
NO_TRADES = TradeColumns(_NONE, _NONE, _NONE, _NONE, _NONE32, _NONE32, _NONE32)


def given_of(world: World, entity: str, trades: Placed | None) -> Given:
    """Return what the windows of an entity are settled from."""
    people = world.people
    clients = np.array(sorted(people.clients.values()), np.int64)
    known = ClientChains(people.frame(people.parents), people.frame(people.relations), clients)
    if trades is None:
        trades = Placed(NO_TRADES, (), (), (), _NONE, _NONE)
    # Clients without trades have chains of their own: they stand behind those of the trades.
    first = len(trades.chains)
    trades = replace(trades, chains=(*trades.chains, *known.chains))

    def chains_at(client: np.ndarray, moment_ms: np.ndarray) -> np.ndarray:
        place = known.at(client, moment_ms)
        return np.where(place >= 0, place + first, -1).astype(np.int32)

    given = Given(
        placed=trades, book=world.book, payees=payees_of(world.partners), fx=world.fx,
        clock=world.clock(entity), events=world.events.filter(entity=entity),
        chains_at=chains_at, history=world.before.frame(),
        countries=countries(people), as_of_ms=last_ms(world, entity),
        live_ms=_live_ms(world, entity),
    )  # fmt: skip
    said = of_clients(given)
    columns = replace(
        trades.trades, qualified_ms=said.qualified_ms, registered_ms=said.registered_ms,
        kyc_held=said.kyc != FREE,
    )  # fmt: skip
    return replace(given, placed=replace(trades, trades=columns, lacks=said.lacks))


def _live_ms(world: World, entity: str) -> int:
    """Return the first go-live of an entity's servers; one without is live always."""
    return min((server.go_live_ms or 0 for server in world.servers.values()
                if world.entity_of[server.code] == entity), default=0)  # fmt: skip


def countries(people: People) -> pl.DataFrame:
    """Return the clients' countries as the tree tells them: they hold always."""
    rows = [(client, 0, country) for client, country in people.country.items()]
    schema = {"client_id": pl.Int64, "from_ms": pl.Int64, "country": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def last_ms(world: World, entity: str) -> int:
    """Return the last moment (UTC ms) of the last month that an entity's files speak of."""
    mine = [name for name, code in world.entity_of.items() if code == entity]
    events = world.events.filter(entity=entity)["at_ms"].to_list()
    trades = world.trades.filter(pl.col("server").is_in(mine))["close_utc"].to_list() \
        if len(world.trades) else []  # fmt: skip
    last = np.array([max([*events, *trades], default=0)], np.int64)
    clock = world.clock(entity)
    return int(bounds(numbers(last, "month", clock), "month", clock)[1][0]) - 1


def immediate_lines(given: Given, rated: Rated) -> pl.DataFrame:
    """Return lines that do not build up, held or forfeited where a client's KYC is asked for."""
    lines = lines_of(rated, given.placed.trades, np.arange(len(given.placed.trades)))
    known = lives(given.events) if given.events is not None else []
    return held_for_kyc(given, lines, known)
