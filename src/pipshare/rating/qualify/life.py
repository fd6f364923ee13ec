"""What happened to one client, out of the events: his deposits with their fate, his KYC, the CRM.

Canonical: events stand in the order of their moments, whatever order they came in. A reversal that
is dated before its deposit, or whose deposit is not there, takes nothing until the deposit is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from pipshare.facts.events import DUPLICATE, KYC, REFERRING, newest, originals
from pipshare.period import FOREVER_MS
from pipshare.rating.qualify.movements import DISPUTES, LOST, OPENED, WON, Movement, Taking

_ORDER = {OPENED: 1, LOST: 2, WON: 3, "deposit_reversed": 4, "withdrawal_reversed": 4,
          "client_not_duplicate": 1}  # fmt: skip
_USED = ("registration", "deposit", "withdrawal", "qualified", "unqualified", *KYC, *REFERRING,
         *DUPLICATE)  # fmt: skip
_COLUMNS = ("kind", "at_ms", "cleared_ms", "amount_e8", "currency", "country", "event",
            "expires_ms")  # fmt: skip
_TAKING = ("original", "kind", "at_ms", "amount_e8", "event", "source", "reference")


@dataclass(frozen=True)
class Word:
    """A moment at which something was said: KYC approved or not, qualified or not.

    `ends`: it is over from then on (a document expired), and what was built on it stays; otherwise
    a word that is not good takes the good one back.
    """

    at_ms: int
    good: bool
    event: str
    ends: bool = False


@dataclass
class Life:
    """One client. All lists ascend by moment; `registered_ms` None = not known."""

    client: int
    registered_ms: int | None = None
    registration: str = ""
    country: str = ""
    deposits: list[Movement] = field(default_factory=list)
    withdrawals: list[Movement] = field(default_factory=list)
    kyc: list[Word] = field(default_factory=list)
    crm: list[Word] = field(default_factory=list)
    duplicate: list[Word] = field(default_factory=list)

    def is_duplicate(self, as_of_ms: int) -> bool:
        """Tell whether the last word by a moment is that he was a client before."""
        told = [one.good for one in self.duplicate if one.at_ms <= as_of_ms]
        return bool(told) and not told[-1]


def lives(events: pl.DataFrame) -> list[Life]:
    """Return the lives of all clients, by client.

    `events`: columns of facts.events.EVENT and `client_id` (null or -1 = nobody known), in
    any order; of several versions of an event the newest holds. What takes a deposit back need not
    name the client.
    """
    known = events.filter(pl.col("kind").is_in(_USED))
    told = newest(known.sort("source", "event", "version", "at_ms"))
    told = told.with_columns(originals(told), row=pl.int_range(pl.len(), dtype=pl.Int64))
    rank = pl.col("kind").replace_strict(_ORDER, default=0, return_dtype=pl.Int64)
    told = told.with_columns(rank=rank, client_id=pl.col("client_id").fill_null(-1))
    told = told.sort("client_id", "at_ms", "rank", "source", "event")
    movements: dict[int, Movement] = {}
    mine = told.filter((pl.col("client_id") >= 0) & ~pl.col("kind").is_in(REFERRING))
    rows = mine.select("client_id", "row", *_COLUMNS).iter_rows()
    found = [_life(client, some, movements) for client, some in groupby(rows, key=itemgetter(0))]
    takings = told.filter(pl.col("kind").is_in(REFERRING)).sort("at_ms", "rank", "source", "event")
    kinds = {
        (source, event): kind
        for source, event, kind in takings.select("source", "event", "kind").iter_rows()
    }
    for original, kind, at, amount_e8, event, source, reference in takings.select(
        _TAKING
    ).iter_rows():
        if original in movements:
            amount = Fraction(amount_e8, 10**8) or None
            named = kinds.get((source, reference), "")
            of = reference if named == kind or {named, kind} <= set(DISPUTES) else ""
            movements[original].takings.append(Taking(kind, at, amount, event, of))
    return found


def _life(client: int, rows: Iterable[Any], movements: dict[int, Movement]) -> Life:
    life = Life(client)
    approvals: list[tuple[Word, int]] = []
    for _, row, kind, at, cleared, amount_e8, currency, country, event, expires in rows:
        if kind in ("deposit", "withdrawal"):
            amount = Fraction(amount_e8, 10**8)
            made = movements[row] = Movement(event, at, max(at, cleared), amount, currency)
            (life.deposits if kind == "deposit" else life.withdrawals).append(made)
        elif kind == "registration":
            if life.registered_ms is None:
                life.registered_ms, life.registration = at, event
        elif kind in KYC:
            word = Word(at, kind == "kyc_approved", event, ends=kind == "kyc_expired")
            approvals.append((word, expires if word.good else 0))
        elif kind in DUPLICATE:
            life.duplicate.append(Word(at, kind != DUPLICATE[0], event))
        else:
            life.crm.append(Word(at, kind == "qualified", event))
        life.country = country or life.country
    life.kyc = list(_until_expiry(approvals))
    return life


def _until_expiry(told: list[tuple[Word, int]]) -> Iterator[Word]:
    """Yield the words said of KYC (with the moment of expiry, 0 = none), and the expiries: one
    that is renewed or taken back before is none, and who is approved too late is not approved."""
    following = [*(word.at_ms for word, _ in told[1:]), FOREVER_MS][: len(told)]
    for (word, expires), then in zip(told, following, strict=True):
        over = Word(max(expires, word.at_ms), False, word.event, ends=True)
        if not 0 < expires <= word.at_ms:
            yield word
        if expires > 0 and over.at_ms <= then:
            yield over
