"""Deposits that several sides tell: whose word counts, and what matches the platforms."""

from __future__ import annotations

import time
from collections.abc import Sequence
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from pipshare import clients
from pipshare.console.compliance import chosen
from pipshare.console.shown import Row, at, counted, moment, money
from pipshare.facts.counted import FACTS, KYC_FACT
from pipshare.pipeline.deposits import Compared, compare_deposits
from pipshare.pipeline.deposits.matching import (
    AMOUNT_DIFFERS,
    MATCHED,
    NO_DEPOSIT,
    ONLY_CRM,
    ONLY_PLATFORM,
    Money,
    Pair,
)
from pipshare.web import Cell, Column, Table, room, trying

_DAY_MS = 24 * 3_600_000
_SPANS = (7, 30, 90, 366)  # days
_MOST = 200  # rows of a table
_TITLES = {
    "platform": "Beside the platforms' balance operations",
    "sources": "Told by other sources, which do not count",
    "postbacks": "Beside postbacks that are no events",
}
_VERDICTS: dict[str, tuple[str, str]] = {
    ONLY_CRM: ("counts, and is not on the platform", "warn"),
    ONLY_PLATFORM: ("on the platform, and nobody tells it", "warn"),
    AMOUNT_DIFFERS: ("amounts differ", "warn"),
    MATCHED: ("matches", "good"),
    NO_DEPOSIT: ("is no deposit", "plain"),
}


_ELSEWHERE = "only the other side tells it"  # money moves on a platform alone


@room("clients.see")
def crm_deposits(request: HttpRequest) -> HttpResponse:
    """Compare what counts as deposits with the platforms, other sources and postbacks."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, _SPANS) else 30
    every = request.GET.get("all") == "1"
    end = time.time_ns() // 1_000_000 + 1
    with trying() as conn:  # reading events puts together temporary tables
        entity, codes = chosen(conn, request)
        told = {fact: clients.telling(conn, entity.code, fact) for fact in FACTS}
        said = [one for one in clients.recorded_authorities(conn) if one.entity == entity.code]
        found = compare_deposits(conn, entity.id, end - days * _DAY_MS, end)
    query = urlencode({"entity": entity.code, "days": days, "all": "" if every else "1"})
    sides = {"platform": found.platform, "sources": found.sources, "postbacks": found.postbacks}
    return render(request, "console/crm_deposits.html", {
        "entity": entity, "entities": codes, "days": days, "spans": _SPANS, "every": every,
        "other": f"{reverse('console:crm_deposits')}?{query}",
        "told": [("KYC" if fact == KYC_FACT else fact,
                  ", ".join(f"{source} ({many})" for source, many in by.items()))
                 for fact, by in told.items()],
        "said": _authorities(said),
        "counts": [(_TITLES[side], _summed(side, pairs)) for side, pairs in sides.items()],
        "tables": [table for side, pairs in sides.items()
                   if (table := _table(side, pairs, found, every))],
        "most": _MOST, "more": any(len(_shown(side, pairs, every)) > _MOST
                                   for side, pairs in sides.items()),
    })  # fmt: skip


def _authorities(said: Sequence[clients.RecordedAuthority]) -> Table | None:
    columns = [Column("Kind", head=True), Column("Source"), Column("From"), Column("Recorded")]
    rows: list[Row] = [
        [one.fact, one.source or "everybody", at(one.from_ms) if one.from_ms else "always",
         Cell(f"{one.recorded_at:%Y-%m-%d %H:%M} UTC", note=f"{one.recorded_by}: {one.reason}")]
        for one in reversed(said)
    ]  # fmt: skip
    return Table("Whose word counts: of what has begun the newest", columns, rows) if rows else None


def _verdict(side: str, name: str) -> str:
    is_elsewhere = name == ONLY_PLATFORM and side != "platform"
    return _ELSEWHERE if is_elsewhere else _VERDICTS[name][0]


def _summed(side: str, pairs: Sequence[Pair]) -> str:
    counts = {name: sum(pair.verdict == name for pair in pairs) for name in _VERDICTS}
    said = [
        f"{counted(many, 'row')}: {_verdict(side, name)}" for name, many in counts.items() if many
    ]
    return "; ".join(said) or "nothing"


def _shown(side: str, pairs: Sequence[Pair], every: bool) -> list[Pair]:
    quiet = (NO_DEPOSIT,) if side == "sources" else (MATCHED, NO_DEPOSIT)
    return [pair for pair in pairs if every or pair.verdict not in quiet]


def _table(side: str, pairs: Sequence[Pair], found: Compared, every: bool) -> Table | None:
    columns = [Column("What counts", head=True), Column("Amount", number=True),
               Column("Client"), Column("The other side"), Column("Amount", number=True),
               Column("Verdict")]  # fmt: skip
    rows = [_row(pair, found, side) for pair in _shown(side, pairs, every)[:_MOST]]
    return Table(_TITLES[side], columns, rows) if rows else None


def _row(pair: Pair, found: Compared, side: str) -> Row:
    one, other = pair.crm, pair.platform
    known = one or other
    code = found.codes.get(known.client, "") if known else ""
    words = " ".join(other.words) if other and side == "platform" else ""
    told, tone = _verdict(side, pair.verdict), _VERDICTS[pair.verdict][1]
    life = f"{reverse('console:client_life')}?{urlencode({'client': code})}" if code else ""
    return [
        _side(one), _amount(one), Cell(code or "–", life), _side(other, words), _amount(other),
        Cell(told, tone=tone, note=pair.why),
    ]  # fmt: skip


def _side(one: Money | None, words: str = "") -> Cell:
    if one is None:
        return Cell("–")
    when = moment(one.at_ms)
    return Cell(one.key, note=f"{when}{': ' if words else ''}{words}")


def _amount(one: Money | None) -> Cell:
    return Cell("–") if one is None else Cell(money(one.amount_e8, one.currency))
