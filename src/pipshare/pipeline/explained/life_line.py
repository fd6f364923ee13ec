"""A client's life in order: clicks, registration, KYC, money, trades, and what each paid.

Read from what is stored and booked, nothing is worked out anew. Each moment carries the lines that
it brought about: of events those whose causes name it, of a day's trades the sums of their lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from pipshare import attribution, clients, inbox
from pipshare.facts.counted import OTHER_SOURCE, TOLD_TWICE
from pipshare.facts.events import KINDS, REFERRING
from pipshare.money import format_e8
from pipshare.pipeline.explained.of_client import find_client
from pipshare.rating.reasons import Reason
from pipshare.statements.client_life import lines_of_life, lines_of_trades, trades_of_client

MOST_TRADES = 500  # the newest are shown; how many there are is said
CLICK, TRADES, EVENT = "click", "trades", "event"
_PERIOD_MS = 86_400_000
_WAITS = """
SELECT e.source, e.event, w.reason, w.key
  FROM clients_event_waiting w JOIN clients_event e ON e.id = w.event_id WHERE e.event = ANY(%s)"""
_WHY_NOT = {
    OTHER_SOURCE: "does not count: another source's word counts",
    TOLD_TWICE: "does not count: another source told the same",
}
# What takes something away: shown in another tone.
NEGATIVE = frozenset({*REFERRING, "bonus_removed", "kyc_rejected", "kyc_expired", "kyc_withdrawn",
                      "unqualified", "client_duplicate"}) - {"chargeback_won"}  # fmt: skip


@dataclass(frozen=True)
class Earned:
    """What a payee was booked by a moment; `state` is that of the account: accrued, held, ...

    `why` is a sentence where the line is not simply pay.
    """

    payee: str
    component: str
    amount_e8: int
    currency: str
    state: str
    why: str = ""


@dataclass
class Moment:
    """Something that happened, at a moment (UTC ms); texts are "" where there is nothing to say.

    `name` is a kind of event, CLICK or TRADES. `reference`: the event that it takes back. `waits`:
    for what. `payload`: the CRM payload that told it, with its endpoint. `counts`: not so where
    another source's word does.
    """

    at_ms: int
    name: str
    title: str
    event: str = ""
    source: str = ""
    amount: str = ""
    reference: str = ""
    detail: str = ""
    waits: str = ""
    payload: str = ""
    endpoint: str = ""
    trades: list[dict[str, Any]] = field(default_factory=list)
    earned: list[Earned] = field(default_factory=list)
    counts: bool = True

    @property
    def is_negative(self) -> bool:
        """Tell whether it takes something away."""
        return self.name in NEGATIVE


@dataclass(frozen=True)
class LifeLine:
    """A client's life, the oldest moment first; `client_id` is his number.

    `same_as`: whom he was found to be, whose life it is then; "" = himself.
    `has_more_trades`: only the newest MOST_TRADES are in it. `loose`: lines booked for him whose
    causes are no moment of it (a rule's own days, as a forfeit).
    """

    client: str
    entity: str
    client_id: int
    moments: list[Moment]
    has_more_trades: bool = False
    same_as: str = ""
    loose: list[Earned] = field(default_factory=list)


def life_line(
    conn: psycopg.Connection[Any], code: str, entity: str | None = None,
    scope: Sequence[int] | None = None,
) -> LifeLine:  # fmt: skip
    """Return a client's life. `scope`: only what these partners earned is told.

    Raises Missing for an unknown client, BadInput when several entities have one of this code.
    """
    id_, code, entity = find_client(conn, code, entity)
    stays = clients.merged_into(conn).get(id_, id_)
    row = conn.execute("SELECT code FROM clients_client WHERE id = %s", (stays,)).fetchone()
    same_as = row[0] if row and stays != id_ else ""
    id_ = stays
    events = _events(conn, id_, same_as or code)
    by_event = {(one.source, one.event): one for one in events}
    loose = _earn(conn, id_, events, scope)
    for identity, (payload, endpoint) in inbox.payloads_of_events(conn, list(by_event)).items():
        by_event[identity].payload, by_event[identity].endpoint = payload, endpoint
    days, has_more = _days(conn, id_, scope)
    moments = sorted([*_clicks(conn, id_), *events, *days], key=lambda one: one.at_ms)
    return LifeLine(code, entity, id_, moments, has_more, same_as, loose)


def _events(conn: psycopg.Connection[Any], client_id: int, code: str) -> list[Moment]:
    """Return all that was told of him, also what does not count, with why."""
    frame = clients.events_of(conn, [client_id], every=True)
    names = frame["event"].unique().to_list()
    waits = {(source, event): f"{reason.replace('_', ' ')} {key}"
             for source, event, reason, key in conn.execute(_WAITS, (names,))}  # fmt: skip
    return [_moment(row, code, waits.get((row["source"], row["event"]), ""))
            for row in frame.iter_rows(named=True)]  # fmt: skip


def _moment(row: Mapping[str, Any], code: str, waits: str) -> Moment:
    told = [text for text in (
        f"told of {row['client']}" if row["client"] not in ("", code) else "",
        _WHY_NOT.get(row["why_not"], ""),
        f"other client {row['other_client']}" if row["other_client"] else "",
        f"partner {row['partner']}" if row["partner"] else "", row["reason"],
        row["method"], f"country {row['country']}" if row["country"] else "",
        row["document"], _until(row["expires_ms"]),
        f"account {row['server']} {row['login']}" if row["login"] else "",
        _cleared(row["cleared_ms"], row["at_ms"]),
    ) if text]  # fmt: skip
    amount = f"{format_e8(row['amount_e8'])} {row['currency']}" if row["amount_e8"] else ""
    return Moment(row["at_ms"], row["kind"], KINDS[row["kind"]].about, row["event"], row["source"],
                  amount, row["reference"], ", ".join(told), waits,
                  counts=row["why_not"] not in _WHY_NOT)  # fmt: skip


def _until(expires_ms: int) -> str:
    return f"valid until {_day(expires_ms)}" if expires_ms else ""


def _cleared(cleared_ms: int, at_ms: int) -> str:
    return f"cleared {_day(cleared_ms)}" if cleared_ms > at_ms else ""


def _day(ms: int) -> str:
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms):%Y-%m-%d}"


def _earn(
    conn: psycopg.Connection[Any], client_id: int, events: Sequence[Moment],
    scope: Sequence[int] | None,
) -> list[Earned]:  # fmt: skip
    """Put each booked line to the latest of its causes; return those without any."""
    by_name: dict[str, Moment] = {}
    for one in events:
        by_name.setdefault(one.event, one)
    loose = []
    for row in lines_of_life(conn, client_id, scope):
        reason = Reason(row["reason"])
        told = Earned(row["payee"] or "the house", row["component"], row["amount_e8"],
                      row["currency"], row["state"],
                      "" if reason is Reason.PAID else reason.sentence)  # fmt: skip
        named = [by_name[name] for name in row["causes"].get("events") or [] if name in by_name]
        if named:
            max(named, key=lambda one: one.at_ms).earned.append(told)
        else:
            loose.append(told)
    return loose


def _clicks(conn: psycopg.Connection[Any], client_id: int) -> list[Moment]:
    claims = attribution.why_client(conn, client_id)["claims"]
    ids = sorted({one["evidence"] for one in claims if one["via"] == "click"})
    found = inbox.clicks_of(conn, ids) if ids else {}
    became = {one["evidence"]: f"{one['partner'] or 'nobody'}: {one['decision']},"
              f" {one['reason'].replace('_', ' ')}" for one in claims}  # fmt: skip
    return [Moment(click.at_ms, CLICK, "clicked on a partner's link", event=id_,
                   detail=became.get(id_, "")) for id_, click in found.items()]  # fmt: skip


def _days(
    conn: psycopg.Connection[Any], client_id: int, scope: Sequence[int] | None
) -> tuple[list[Moment], bool]:
    """Return a moment for each day with trades, and whether older ones are left out."""
    found = trades_of_client(conn, client_id, MOST_TRADES + 1)
    shown = found[:MOST_TRADES]
    days: dict[int, Moment] = {}
    places: dict[tuple[int, int], Moment] = {}
    for trade in reversed(shown):
        day = trade["close_ms"] // _PERIOD_MS
        moment = days.setdefault(day, Moment(trade["close_ms"], TRADES, ""))
        moment.trades.append(trade)
        places[trade["server_id"], trade["ticket"]] = moment
    sums: dict[int, dict[tuple[str, str, str, str], int]] = {}
    for row in lines_of_trades(conn, list(places), scope):
        moment = places[row["server_id"], row["ticket"]]
        key = (row["payee"] or "the house", row["component"], row["currency"], row["state"])
        mine = sums.setdefault(moment.at_ms, {})
        mine[key] = mine.get(key, 0) + row["amount_e8"]
    for moment in days.values():
        count = len(moment.trades)
        lots = sum(one["lots_e8"] for one in moment.trades if one["state"])
        moment.title = f"{count} trade{'s' if count > 1 else ''}, {format_e8(lots)} lots"
        moment.earned = [
            Earned(payee, component, amount, currency, state)
            for (payee, component, currency, state), amount in sums.get(moment.at_ms, {}).items()
            if amount
        ]
    return list(days.values()), len(found) > MOST_TRADES
