"""What compliance asks: what is held for whose KYC, who is blocked, and what that costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import takewhile
from typing import Any

import numpy as np
import psycopg

from pipshare import clients, rating
from pipshare.errors import Missing
from pipshare.facts.jurisdictions import Counts, Jurisdiction
from pipshare.period import FOREVER_MS
from pipshare.pipeline.book import Booked
from pipshare.pipeline.lives import with_lives
from pipshare.pipeline.read_placed import read_placed
from pipshare.pipeline.rest import to_rest
from pipshare.pipeline.run import Run
from pipshare.plans.book import Book
from pipshare.rating.reasons import Reason

MOST = 50_000  # trades up to which it is worked out what a block costs
_HELD = """
SELECT a.cause, a.currency, t.earned_day, sum(l.amount_e8)::bigint
  FROM ledger_account a
  JOIN ledger_leg l ON l.account_id = a.id
  JOIN ledger_transfer t ON t.id = l.transfer_id
 WHERE a.entity_id = %s AND a.state = 'held' AND a.cause LIKE 'kyc client %%'
 GROUP BY 1, 2, 3 HAVING sum(l.amount_e8) <> 0
"""
_CLIENT = re.compile(r"kyc client (\d+)")


@dataclass
class Held:
    """What is held for one client's KYC: 1e-8 by currency, since the oldest earned day.

    `forfeits`: the first day on which some of it is forfeited, None = no programme does that.
    """

    client_id: int
    amounts: dict[str, int] = field(default_factory=dict)
    since: date = date.max
    forfeits: date | None = None


@dataclass(frozen=True)
class Country:
    """A country of an entity of which something was said: what holds now, and what is to come.

    `before`: blocks without a gap up to the one that holds now, as of residents alone at first.
    `client_ids`: those who ever lived there or had a document of it.
    """

    country: str
    before: tuple[Jurisdiction, ...]
    now: Jurisdiction | None
    later: tuple[Jurisdiction, ...]
    client_ids: tuple[int, ...]


@dataclass(frozen=True)
class Cost:
    """What blocked clients of a country would have brought: 1e-8 by currency, of how many trades.

    Of trades alone, not of what builds up over periods or is paid for clients. `amounts` None:
    there are too many trades to work it out.
    """

    trades: int
    amounts: Mapping[str, int] | None


def held_of(conn: psycopg.Connection[Any], entity_id: int, book: Book, entity: str) -> list[Held]:
    """Return what is held for clients of an entity, the first to be forfeited first."""
    days = [
        version.programme.kyc_forfeit_days for version in book.versions
        if version.programme.entity == entity and version.programme.kyc_forfeit_days is not None
    ]  # fmt: skip
    found: dict[int, Held] = {}
    for cause, currency, day, amount in conn.execute(_HELD, (entity_id,)):
        if (named := _CLIENT.fullmatch(cause)) is None:
            continue
        one = found.setdefault(int(named[1]), Held(int(named[1])))
        one.amounts[currency] = one.amounts.get(currency, 0) + amount
        one.since = min(one.since, day)
        if days:
            one.forfeits = one.since + timedelta(days=min(days) + 1)
    return sorted(found.values(), key=lambda one: (one.forfeits or date.max, one.since))


def countries_of(conn: psycopg.Connection[Any], entity_id: int, now_ms: int) -> list[Country]:
    """Return the countries of which something was said, those that are blocked now first."""
    known = clients.jurisdictions(conn).get(entity_id)
    if known is None:
        return []
    found = []
    for code in dict.fromkeys(one.country for one in known.records):
        course = known.course(code)
        begun = [one for one in course if one.from_ms <= now_ms]
        block = list(takewhile(lambda one: one.blocked, reversed(begun)))
        ids = clients.clients_of_country(conn, entity_id, code)
        found.append(Country(code, tuple(reversed(block[1:])), begun[-1] if begun else None,
                             course[len(begun):], tuple(ids)))  # fmt: skip
    return sorted(found, key=lambda one: (not (one.now and one.now.blocked), one.country))


def cost_of(run: Run, entity_id: int, country: Country, most: int = MOST) -> Cost:
    """Return what the trades of a country's blocked clients would have been paid for."""
    blocks = run.blocks(entity_id)
    if blocks is None or not country.client_ids:
        return Cost(0, {})
    mine = [one for one in blocks.records if one.country == country.country]
    free = run.looking(run.book).unblocked()
    placed = read_placed(
        free, entity_id, start_ms=min(one.from_ms for one in mine), end_ms=FOREVER_MS,
        logins=clients.logins_of(run.conn, list(country.client_ids)),
    ).live_only().placed  # fmt: skip
    close = placed.trades.close_utc_ms
    told = clients.standing_columns(run.conn, placed.trades.client, close)
    barred = np.flatnonzero(blocks.barred(told.country, told.document, close))
    if not len(barred) or len(barred) > most:
        return Cost(len(barred), {} if not len(barred) else None)
    made = with_lives(free, entity_id, placed).taken(barred)
    rated = rating.rate_trades(
        made.trades, made.symbols, made.groups, made.chains, book=run.book,
        payees=rating.payees_of(run.partners), fx=run.fx, clock=run.clock(entity_id),
    )  # fmt: skip
    lines, amounts = rated.lines, dict[str, int]()
    paid = lines.reason == Reason.PAID
    for code in np.unique(lines.wallet[paid]).tolist():
        total = int(lines.amount_e8[paid & (lines.wallet == code)].astype(object).sum())
        amounts[rated.currencies[code]] = total
    return Cost(len(barred), {name: total for name, total in amounts.items() if total})


def say_country(
    run: Run, entity: str, country: str, *, blocked: bool, by: str, reason: str,
    counts: Counts = "either", from_ms: int | None = None,
) -> tuple[int | None, Booked]:  # fmt: skip
    """Block or unblock a country, and bring all to rest.

    Returns the number of the proposal where a second person has to approve (None = it holds), and
    what was booked. Raises BadInput and Missing as clients.say_jurisdiction does.
    """
    number = clients.say_jurisdiction(
        run.conn, entity, country, blocked=blocked, by=by, reason=reason, counts=counts,
        from_ms_=from_ms,
    )  # fmt: skip
    run.conn.commit()
    run.current()
    return number, to_rest(run) if number is None else Booked()


def entity_named(run: Run, code: str) -> int:
    """Return an entity's number. Raises Missing."""
    for number, one in run.entities.items():
        if one.code == code:
            return number
    raise Missing("no_entity", f"there is no entity {code!r}: load it first")
