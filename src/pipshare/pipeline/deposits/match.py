"""Compare what counts as deposits and withdrawals with all who else knows of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import clients, market
from pipshare.facts.counted import COUNTS, MOVES
from pipshare.facts.events import REFERRING
from pipshare.facts.values import CashKind
from pipshare.period import HOUR_MS
from pipshare.pipeline.deposits.matching import Money, Pair, match

_DAY_MS = 24 * HOUR_MS
# What a balance operation may be when its comment does not say that it is something else.
_MAYBE = (CashKind.BALANCE, CashKind.DEPOSIT, CashKind.WITHDRAWAL, CashKind.CORRECTION,
          CashKind.OTHER)  # fmt: skip
_OUT = ("withdrawal", "deposit_reversed", "chargeback_lost")
_MONEY = (*MOVES, *REFERRING)
_CLIENTS = """
SELECT DISTINCT client_id FROM clients_event_current
 WHERE entity_id = %s AND kind = ANY(%s) AND client_id IS NOT NULL
   AND at >= to_timestamp(%s / 1000.0) AND at < to_timestamp(%s / 1000.0)
"""
_CASH = """
SELECT ticket, login, time_ms, kind, amount_e8, comment FROM inbox_cash
 WHERE server_id = %s AND amount_e8 <> 0 AND time_ms >= %s AND time_ms < %s
"""
_CASH_SCHEMA = {"ticket": pl.Int64, "login": pl.Int64, "time_ms": pl.Int64, "kind": pl.String,
                "amount_e8": pl.Int64, "comment": pl.String}  # fmt: skip
# Postbacks of money that are no events: their trackers are believed in attribution only.
_POSTBACKS = """
SELECT t.code || ':' || p.kind || ':' || p.txid, (extract(epoch FROM p.happened_at) * 1000)::bigint,
       p.kind, p.amount_e8, p.currency, coalesce(s.into_id, c.id, 0), p.txid
  FROM inbox_postback p
  JOIN inbox_tracker t ON t.id = p.tracker_id
  LEFT JOIN clients_client c ON c.entity_id = p.entity_id AND c.code = p.client
  LEFT JOIN clients_same s ON s.client_id = c.id
 WHERE p.entity_id = %s AND p.verdict = 'accepted' AND p.kind IN ('deposit', 'withdrawal')
   AND p.amount_e8 <> 0 AND NOT EXISTS (
       SELECT FROM inbox_postback_outcome o WHERE o.postback_id = p.id AND o.outcome = 'event')
   AND p.happened_at >= to_timestamp(%s / 1000.0) AND p.happened_at < to_timestamp(%s / 1000.0)
"""
_PAID = """
SELECT coalesce(s.into_id, p.own_client_id, 0), y.currency, y.amount_e8, y.reference,
       (extract(epoch FROM y.paid_on) * 1000)::bigint, p.code
  FROM payouts_payment y JOIN partners_partner p ON p.id = y.partner_id
  LEFT JOIN clients_same s ON s.client_id = p.own_client_id
 WHERE y.entity_id = %s
"""


@dataclass(frozen=True)
class Compared:
    """What counts beside the platforms' balance operations, beside other sources' events, and
    beside postbacks that are no events; `codes`: clients' codes by number."""

    platform: list[Pair] = field(default_factory=list)
    sources: list[Pair] = field(default_factory=list)
    postbacks: list[Pair] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)

    def counts(self) -> dict[str, Counter[str]]:
        """Return by side how many rows there are of each verdict."""
        sides = {"platform": self.platform, "sources": self.sources, "postbacks": self.postbacks}
        return {name: Counter(pair.verdict for pair in pairs) for name, pairs in sides.items()}


def compare_deposits(
    conn: psycopg.Connection[Any], entity_id: int, start_ms: int, end_ms: int
) -> Compared:
    """Compare an entity's deposits and withdrawals of a span (UTC ms, half-open)."""
    counting, others = _told(conn, entity_id, start_ms, end_ms)
    moved = _moved(conn, entity_id, start_ms, end_ms)
    posted = [
        Money(at, key, amount if kind == "deposit" else -amount, currency, client, "", (txid,))
        for key, at, kind, amount, currency, client, txid in
        conn.execute(_POSTBACKS, (entity_id, start_ms, end_ms))
    ]  # fmt: skip
    moves = [one for one in counting if one.note in MOVES]
    found = (match(counting, moved), match(moves, others), match(moves, posted))
    # That the other side does not know of a deposit says something of a platform only.
    sources, postbacks = ([pair for pair in pairs if pair.platform] for pairs in found[1:])
    who = {one.client for one in (*counting, *others, *moved, *posted)}
    rows = conn.execute("SELECT id, code FROM clients_client WHERE id = ANY(%s)", (sorted(who),))
    return Compared(found[0], sources, postbacks, dict(rows.fetchall()))


def _told(
    conn: psycopg.Connection[Any], entity_id: int, start_ms: int, end_ms: int
) -> tuple[list[Money], list[Money]]:
    """Return what counts, and what other sources tell; taken back is money the other way."""
    asked = (entity_id, list(_MONEY), start_ms, end_ms)
    who = [row[0] for row in conn.execute(_CLIENTS, asked)]
    counting: list[Money] = []
    others: list[Money] = []
    if not who:
        return counting, others
    rows = clients.events_of(conn, who, every=True).rows(named=True)
    for row in rows:
        if row["kind"] not in _MONEY or not start_ms <= row["at_ms"] < end_ms:
            continue
        if row["kind"] in ("chargeback_opened", "chargeback_won"):
            continue  # nothing moves yet
        about = rows[row["original"]] if row["original"] >= 0 else row
        amount = row["amount_e8"] or about["amount_e8"]
        account = f"{row['server']} {row['login']}" if row["login"] else ""
        one = Money(
            row["at_ms"], f"{row['source']}:{row['event']}",
            -amount if row["kind"] in _OUT else amount, row["currency"] or about["currency"],
            row["client_id"], account, (row["event"],), row["kind"],
        )  # fmt: skip
        if row["why_not"] == COUNTS:
            counting.append(one)
        elif row["kind"] in MOVES:
            others.append(replace(one, account=""))
    return counting, others


def _moved(
    conn: psycopg.Connection[Any], entity_id: int, start_ms: int, end_ms: int
) -> list[Money]:
    """Return the balance operations of an entity's platforms."""
    paid = conn.execute(_PAID, (entity_id,)).fetchall()
    found: list[Money] = []
    for server in market.servers(conn):
        if server.entity_id != entity_id:
            continue
        asked = (server.id, start_ms - _DAY_MS, end_ms + _DAY_MS)  # on the server's clock
        rows = clients_cash(conn, asked)
        at = server.to_utc(rows["time_ms"].to_numpy())
        known = clients.accounts(conn, server.id, np.unique(rows["login"].to_numpy()))
        place = dict(zip(known.login.tolist(), range(len(known.login)), strict=True))
        for row, at_ms in zip(rows.iter_rows(named=True), at.tolist(), strict=True):
            if start_ms <= at_ms < end_ms:
                client, currency = _whose(known, place.get(row["login"], -1), at_ms)
                found.append(_recognised(Money(
                    at_ms, f"{server.code}:{row['ticket']}", row["amount_e8"], currency, client,
                    f"{server.code} {row['login']}", (row["comment"],),
                ), CashKind(row["kind"]), paid))  # fmt: skip
    return found


def clients_cash(conn: psycopg.Connection[Any], asked: tuple[int, int, int]) -> pl.DataFrame:
    """Return balance operations of a server between two moments of its clock."""
    rows = conn.execute(_CASH, asked).fetchall()
    return pl.DataFrame(rows, schema=_CASH_SCHEMA, orient="row")


def _whose(known: clients.Accounts, place: int, at_ms: int) -> tuple[int, str]:
    if place < 0:
        return 0, ""
    state, _ = known.state_at(known.account_id[[place]], np.array([at_ms], np.int64))
    currency = "" if state[0] < 0 else str(known.states["currency"][int(state[0])])
    return int(known.client_id[place]), currency


def _recognised(one: Money, kind: CashKind, paid: list[tuple[Any, ...]]) -> Money:
    """Say of a balance operation that it is no deposit, where that is known."""
    comment = one.words[0].lower()
    for client, currency, amount, reference, at_ms, partner in paid:
        named = len(reference) > 3 and reference.lower() in comment
        same = (client, currency, amount) == (one.client, one.currency, one.amount_e8)
        if named or (client and same and abs(one.at_ms - at_ms) <= 5 * _DAY_MS):
            return replace(one, note=f"our own payout {reference} to {partner}", is_none=True)
    if kind not in _MAYBE:
        return replace(one, note=str(kind), is_none=True)
    return one if one.client else replace(one, note="an account of nobody known")
