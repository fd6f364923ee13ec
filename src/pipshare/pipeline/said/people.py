"""What every message about a client says of him: code, country, partners above him, his click."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from pipshare import attribution, clients, partners
from pipshare.attribution.origins import origins
from pipshare.inbox.clicks import clicks_of
from pipshare.money import format_e8
from pipshare.outbox import MESSAGES
from pipshare.pipeline.run import Run

_CLIENTS = "SELECT id, entity_id, code FROM clients_client WHERE id = ANY(%s::int[])"


@dataclass(frozen=True)
class Person:
    """A client as messages tell of him. `chain` holds partner ids, his introducing broker first;
    empty = nobody introduced him. `data` are the fields that all messages about him have."""

    id: int
    entity_id: int
    code: str
    chain: tuple[int, ...]
    data: Mapping[str, Any]


def people(run: Run, client_ids: Sequence[int]) -> dict[int, Person]:
    """Return clients as they are now: who introduced them, and the click that they came by."""
    rows = run.conn.execute(_CLIENTS, (list(client_ids),)).fetchall()
    who = [row[0] for row in rows]
    if not who:
        return {}
    now = np.full(len(who), time.time_ns() // 1_000_000, np.int64)
    chains = attribution.client_chains(run.conn, who)
    places = chains.at(np.array(who, np.int64), now).tolist()
    countries, came_by = _countries(run, who), _origins(run, who)
    found = {}
    for (id_, entity_id, code), place in zip(rows, places, strict=True):
        chain = chains.chains[place] if place >= 0 else ()
        data = base(run, entity_id, chain) | {"client": code}
        data |= {"country": countries[id_]} if countries.get(id_) else {}
        found[id_] = Person(id_, entity_id, code, chain, data | came_by.get(id_, {}))
    return found


def base(run: Run, entity_id: int, chain: Sequence[int]) -> dict[str, Any]:
    """Return what a message says of an entity and a chain of partners."""
    codes = [partner_code(run, one) for one in chain]
    told: dict[str, Any] = {"entity": run.entities[entity_id].code}
    return told | ({"partner": codes[0], "chain": codes} if codes else {})


def partner_code(run: Run, partner_id: int) -> str:
    """Return a partner's code."""
    return run.partners.codes[int(np.searchsorted(run.partners.ids, partner_id))]


def wallet_of(run: Run, partner_id: int) -> str:
    """Return the currency in which a partner is paid."""
    place = int(np.searchsorted(run.partners.ids, partner_id))
    return run.partners.currencies[int(run.partners.currency[place])]


def money(amount_e8: int, currency: str) -> dict[str, str]:
    """Return an amount as messages have it."""
    return {"amount": format_e8(amount_e8), "currency": currency}


def named(first: str, number: int) -> dict[str, str]:
    """Return the txid of the number-th news of a commission whose first one is named `first`: what
    comes later refers to that, so that a tracker finds the conversion that it knows."""
    return {"txid": first} if number == 1 else {"txid": f"{first}-{number}", "reference": first}


def moment(utc_ms: int) -> str:
    """Return a moment as messages have it."""
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Messages:
    """Messages being put together, in the order in which they are to be delivered."""

    rows: list[tuple[int, str, str, str, int, str]]

    def add(
        self, entity_id: int, kind: str, key: str, subject: str, at_ms: int, data: Mapping[str, Any]
    ) -> None:
        """Add one; `key` names it for ever among those of its type."""
        self.rows.append((entity_id, kind, key, subject, at_ms, json.dumps(data)))

    def frame(self) -> pl.DataFrame:
        """Return them as outbox.say takes them."""
        names = ("entity_id", "type", "key", "subject", "at_ms", "data")
        columns = list(zip(*self.rows, strict=True)) or [()] * len(names)
        return pl.DataFrame(
            dict(zip(names, columns, strict=True)), schema={name: MESSAGES[name] for name in names}
        )


def _origins(run: Run, who: Sequence[int]) -> dict[int, dict[str, str]]:
    """Return what messages tell of the clicks that clients came by; what is empty is left out."""
    came_by = origins(run.conn, who)
    clicks = clicks_of(run.conn, sorted(set(came_by.values())))
    links = partners.links_by_id(run.conn, sorted({one.link_id for one in clicks.values()}))
    found = {}
    for client, id_ in came_by.items():
        if (click := clicks.get(id_)) is None:
            continue
        told = {"click_id": id_, **{f"sub{n}": text for n, text in enumerate(click.subs, 1)}}
        if (link := links.get(click.link_id)) is not None:
            told |= {"link": link.code, "campaign": link.campaign}
        found[client] = {name: text for name, text in told.items() if text}
    return found


def _countries(run: Run, who: Sequence[int]) -> dict[int, str]:
    told = clients.countries_of(run.conn, who).sort("from_ms")
    return dict(told.select("client_id", "country").iter_rows())
