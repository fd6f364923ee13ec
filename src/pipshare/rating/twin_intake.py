"""Pick one trade's values out of the columns, for the scalar twin: histories become plain lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from pipshare.errors import Missing
from pipshare.market.fx import DEAL_ID
from pipshare.partners.info import STATUSES, PartnerInfo
from pipshare.plans.book import Book
from pipshare.rating.columns import DEAL, MADE, NO_QUOTE, QUOTE_SOURCES, TradeColumns
from pipshare.rating.places import Dated, GroupPlace, SymbolPlace
from pipshare.rating.twin_values import (
    OwnRate,
    Partner,
    ProgrammeHistory,
    TermsFacts,
    TradeFacts,
    Version,
)


def column_facts(
    trades: TradeColumns, symbols: Sequence[SymbolPlace], groups: Sequence[GroupPlace], at: int
) -> TradeFacts:
    """Return the values of one trade out of the columns that the kernel rates, all it may know."""

    def held(name: str, unknown: Any = 0) -> Any:
        column = getattr(trades, name)
        return unknown if column is None else column[at].item()

    symbol, group = symbols[int(trades.symbol[at])], groups[int(trades.group[at])]
    close, bottom = int(trades.close_utc_ms[at]), held("bonus_bottom")
    known = {name: held(name, unknown) for name, unknown in _SAME.items()}
    return TradeFacts(
        lots_e8=int(trades.lots_e8[at]),
        hold_ms=_unless(trades.hold_ms[at] < 0, int(trades.hold_ms[at])),
        close_utc_ms=close,
        client_id=_unless(trades.client[at] < 0, int(trades.client[at])),
        cancelled=bool(held("cancelled", False)),
        symbol_name=symbol.name,
        symbol_group=symbol.symbol_group,
        symbol_known=symbol.known,
        group_name=group.name,
        account_type=group.account_type,
        lot_factor=group.lot_factor,
        own=_own_of(trades, at),
        open_utc_ms=held("open_utc_ms") or None,
        open_quote=_quote(trades, "open", held),
        close_quote=_quote(trades, "close", held),
        typical_points=_points(held("typical_points_e8", -1), symbol.typical, group, close),
        gateway_points=_told(held("gateway_markup_points_e8", -1)),
        markup_points=_points(held("markup_points_e8", -1), symbol.markup, group, close),
        deal_reason=held("reason", -1),
        currency=_named(trades.account_currencies, held("currency", -1)) or group.currency,
        country=_named(trades.countries, held("country", -1)),
        qualified_ms=_unless(held("qualified_ms", -1) < 0, held("qualified_ms", -1)),
        bonus=Fraction(held("bonus_top"), bottom) if bottom > 0 else None,
        book="made" if held("book") == MADE else "passed",
        digits=symbol.digits,
        contract_e8=held("contract_e8") or symbol.contract_e8,
        pip_points=symbol.pip_points,
        calc=symbol.calc,
        tick_size_e8=symbol.tick_size_e8,
        tick_value_e8=symbol.tick_value_e8,
        profit_currency=symbol.currency,
        **known,
    )


_SAME: dict[str, Any] = {
    **dict.fromkeys(("open_price_e8", "close_price_e8", "open_bid_e8", "open_ask_e8",
                     "open_spread_e16", "close_bid_e8", "close_ask_e8", "close_by", "account",
                     "registered_ms",
                     "snapshot_age_ms", "server", "ticket"), 0),
    **dict.fromkeys(("commission_e8", "fee_e8", "swap_e8", "profit_e8")),
    **dict.fromkeys(("partial", "kyc_held", "negative", "blocked"), False),
    "side": 1,
}  # fmt: skip


def _unless(unknown: object, value: int) -> int | None:
    return None if unknown else value


def _told(points_e8: int) -> Fraction | None:
    return None if points_e8 < 0 else Fraction(points_e8, 10**8)


def _named(names: Sequence[str], place: int) -> str:
    return names[place] if place >= 0 else ""


def _quote(trades: TradeColumns, end: str, held: Callable[..., Any]) -> str:
    """Name the source of a quote; one that came without a source is the deal's own."""
    told = getattr(trades, f"{end}_bid_e8") is not None
    return QUOTE_SOURCES[held(f"{end}_quote", DEAL if told else NO_QUOTE)]


def _points(own_e8: int, table: Sequence[Dated], group: GroupPlace, close: int) -> Fraction | None:
    """Return the trade's own points, else its group's, else any group's, as of the close."""
    if own_e8 >= 0:
        return _told(own_e8)
    for name in (group.name, ""):
        begun = [x for x in table if x.from_ms <= close and x.group.casefold() == name.casefold()]
        if begun:
            return max(begun, key=lambda x: x.from_ms).points
    return None


def _own_of(trades: TradeColumns, at: int) -> OwnRate | None:
    own = trades.own
    if own is None or own.rate_e8[at] <= 0:
        return None
    base, quote = _named(own.bases, int(own.base[at])), _named(own.quotes, int(own.quote[at]))
    if not base or not quote:
        return None
    ticket = "" if trades.ticket is None else f"ticket {int(trades.ticket[at])}"
    return OwnRate(base, quote, Fraction(int(own.rate_e8[at]), 10**8), DEAL_ID, ticket)


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
