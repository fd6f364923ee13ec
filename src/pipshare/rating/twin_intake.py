"""Pick one trade's values out of the columns, for the scalar twin: histories become plain lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from pipshare.errors import Missing
from pipshare.facts import State
from pipshare.market.fx import DEAL_ID
from pipshare.market.groups import GroupRow
from pipshare.market.symbols import SymbolRow
from pipshare.partners.info import STATUSES, PartnerInfo
from pipshare.plans.book import Book
from pipshare.rating.settled import lot_factor
from pipshare.rating.twin_values import (
    OwnRate,
    Partner,
    ProgrammeHistory,
    TermsFacts,
    TradeFacts,
    Version,
)


def trade_facts(
    trade: Mapping[str, Any],
    symbol: SymbolRow | None,
    group: GroupRow | None,
    group_name: str,
    currency: str,
    client_id: int | None,
    hold_ms: int | None,
) -> TradeFacts:
    """Return the values of one trade; `trade` is a row of a settled frame.

    `group_name` and `currency` are the account's at the close, `group` the row that covers it.
    """
    return TradeFacts(
        lots_e8=trade["lots_e8"],
        hold_ms=hold_ms,
        close_utc_ms=trade["close_utc"],
        client_id=client_id,
        cancelled=trade["state"] == State.CANCELLED,
        symbol_name=symbol.symbol if symbol else trade["symbol"].strip(),
        symbol_group=symbol.symbol_group if symbol else "",
        symbol_known=symbol is not None,
        group_name=group_name,
        account_type=group.type if group else "",
        lot_factor=lot_factor(group, currency),
        own=_own_rate(trade, symbol, currency),
    )


def _own_rate(trade: Mapping[str, Any], symbol: SymbolRow | None, currency: str) -> OwnRate | None:
    """Return the trade's rate of profit currency to account currency, where all three are known."""
    rate_e8 = trade["rate_profit_e8"]
    if symbol is None or not symbol.currency or not currency or rate_e8 <= 0:
        return None
    rate = Fraction(rate_e8, 10**8)
    return OwnRate(symbol.currency, currency, rate, DEAL_ID, f"ticket {trade['ticket']}")


def chain_facts(chain: Sequence[int], book: Book, partners: PartnerInfo) -> tuple[Partner, ...]:
    """Return the partners of a chain with their histories. Raises Missing for an unknown one."""
    place = {number: at for at, number in enumerate(partners.ids.tolist())}
    made: dict[int, ProgrammeHistory] = {}
    if missing := set(chain) - set(place):
        raise Missing("no_partner", f"partners {sorted(missing)} of a chain are not known")
    return tuple(_partner(place[number], book, partners, made) for number in chain)


def _partner(
    at: int, book: Book, partners: PartnerInfo, made: dict[int, ProgrammeHistory]
) -> Partner:
    number = int(partners.ids[at])
    own, go_live = int(partners.own_client[at]), int(partners.go_live_ms[at])
    return Partner(
        id=number,
        name=partners.codes[at],
        currency=partners.currencies[int(partners.currency[at])],
        statuses=tuple((start, STATUSES[code]) for start, code in _rows(partners.status, number)),
        terms=tuple(
            (start, None if held < 0 else _terms(book, held, made))
            for start, held in _rows(book.terms_segments, number)
        ),
        go_live_ms=go_live or None,
        own_client=None if own < 0 else own,
    )


def _terms(book: Book, held: int, made: dict[int, ProgrammeHistory]) -> TermsFacts:
    terms = book.terms[held]
    if terms.programme_id is None:
        return TermsFacts(None, terms.card)
    if terms.programme_id not in made:
        made[terms.programme_id] = _programme(book, terms.programme_id)
    return TermsFacts(made[terms.programme_id], terms.card)


def _programme(book: Book, number: int) -> ProgrammeHistory:
    versions = tuple(
        (start, None if held < 0 else _version(book, held))
        for start, held in _rows(book.version_segments, number)
    )
    code = next((v.programme.code for v in book.versions if v.programme_id == number), "")
    return ProgrammeHistory(number, code, versions)


def _version(book: Book, held: int) -> Version:
    found = book.versions[held]
    return Version(found.number, found.programme, found.component_ids, found.rate_ids)


def _rows(segments: tuple[Any, Any, Any], subject: int) -> list[tuple[int, int]]:
    """Return a subject's (start, value) in order; of two for one moment the last stands."""
    who, start, value = segments
    mine = who == subject
    found = dict(zip(start[mine].tolist(), value[mine].tolist(), strict=True))
    return sorted(found.items())
