"""Frames of settled trades, from one server or several, as the columns that rating takes.

Names become places in lists. The same symbol, group, chain or currency of two servers is one, so
that what builds up (tiers, caps, netting) sees all the trades of a client together.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts import Kind, State
from pipshare.market.symbols import SymbolBook
from pipshare.period import Millis as Longs
from pipshare.rating.columns import TradeColumns
from pipshare.rating.own_rates import OwnRates
from pipshare.rating.places import Dated, GroupPlace, SymbolPlace
from pipshare.rating.rated import WAITS
from pipshare.rating.reasons import Wait
from pipshare.rating.settled import INTRODUCED, Attributed, groups_of, hold, symbols_of

Points = Mapping[str, tuple[Dated, ...]]  # by canonical symbol: tables in points
_SERVER = 2**45  # logins are smaller
# Columns of a settled frame that are handed on as they are, where it has them.
_SAME: dict[str, tuple[str, Any]] = {
    "open_utc_ms": ("open_utc", np.int64), "side": ("side", np.int8),
    "open_price_e8": ("open_price_e8", np.int64), "close_price_e8": ("close_price_e8", np.int64),
    "open_bid_e8": ("open_bid_e8", np.int64), "open_ask_e8": ("open_ask_e8", np.int64),
    "close_bid_e8": ("close_bid_e8", np.int64), "close_ask_e8": ("close_ask_e8", np.int64),
    "open_spread_e16": ("open_spread_e16", np.int64),
    "open_quote": ("open_quote", np.int8), "close_quote": ("close_quote", np.int8),
    "contract_e8": ("contract_e8", np.int64), "commission_e8": ("commission_e8", np.int64),
    "gateway_markup_points_e8": ("gateway_markup_points_e8", np.int64),
    "fee_e8": ("fee_e8", np.int64), "swap_e8": ("swap_e8", np.int64),
    "profit_e8": ("profit_e8", np.int64), "reason": ("reason", np.int16),
    "close_by": ("close_by", np.int8), "qualified_ms": ("qualified_ms", np.int64),
    "registered_ms": ("registered_ms", np.int64), "kyc_held": ("kyc_held", np.bool_),
    "blocked": ("blocked", np.bool_),
    "bonus_top": ("bonus_top", np.int64), "bonus_bottom": ("bonus_bottom", np.int64),
    "snapshot_age_ms": ("snapshot_age_ms", np.int64), "negative": ("negative", np.bool_),
    "book": ("book", np.int8), "server": ("server_id", np.int32), "ticket": ("ticket", np.int64),
}  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """Introduced trades as columns, and the lists that they point into.

    `rows` are their places in the frame they came from; `source` numbers the frame after a join.
    `lost`: what is earned by it was held for the client's KYC for too long; None = of none.
    `lacks`: the pair without a rate ("EUR/USD") for which nobody can tell whether its client
    qualifies, "" = nothing; None = of none.
    """

    trades: TradeColumns
    symbols: tuple[SymbolPlace, ...]
    groups: tuple[GroupPlace, ...]
    chains: tuple[tuple[int, ...], ...]
    rows: Longs
    source: Longs
    lost: npt.NDArray[np.bool_] | None = None
    lacks: npt.NDArray[np.object_] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def taken(self, kept: npt.NDArray[np.bool_] | Longs) -> Placed:
        """Return some of the trades; `trade_row` goes on naming them as before."""
        at = np.flatnonzero(kept) if kept.dtype == np.bool_ else kept.astype(np.int64)
        return replace(self, trades=self.trades.taken(at), rows=self.rows[at],
                       source=self.source[at],
                       lost=None if self.lost is None else self.lost[at],
                       lacks=None if self.lacks is None else self.lacks[at])  # fmt: skip

    def unclear(self) -> pl.DataFrame:
        """Return rated.WAITS of the trades of which nobody can tell whether the client qualifies.

        They are rated as those of a client who does not, until the rate is there.
        """
        if self.lacks is None:
            return pl.DataFrame(schema=WAITS)
        rows = np.flatnonzero(self.lacks != "")
        names = self.trades.trade_row
        return pl.DataFrame({
            "trade_row": rows if names is None else names[rows], "component_id": rows * 0,
            "level": rows * 0, "partner_id": rows * 0, "reason": [Wait.NO_FX.word] * len(rows),
            "key": pl.Series(self.lacks[rows].tolist(), dtype=pl.String),
        }, schema_overrides={"reason": pl.String}).cast(pl.Schema(WAITS))  # fmt: skip


def placed(
    settled: pl.DataFrame,
    attributed: Attributed,
    symbols: SymbolBook,
    *,
    typical: Points | None = None,
    markup: Points | None = None,
    rows: Longs | None = None,
) -> Placed:
    """Return the introduced trades of a settled frame (or those in `rows`) as columns.

    The frame has symbol, lots_e8, open_ms, close_ms, close_utc, opening, state and rate_profit_e8;
    `open_utc` (UTC ms) is used for the holding time when it is there, else both walls of the server
    clock. It may have any column that TradeColumns knows under the names of the trades stage (see
    _SAME), `kind`, `login` and `country`. What it has not is unknown of every trade.
    """
    if rows is None:
        rows = np.flatnonzero(attributed.standing == INTRODUCED)
    frame = settled if len(rows) == len(settled) else settled[rows]
    known, symbol = symbols_of(frame["symbol"], symbols)
    known = [
        replace(one, typical=(typical or {}).get(one.name, ()),
                markup=(markup or {}).get(one.name, ()))
        for one in known
    ]  # fmt: skip
    groups, group = groups_of(attributed, rows)
    cancelled = frame["state"].to_numpy() == State.CANCELLED
    currency = attributed.currency[rows].astype(np.int32)
    trades = TradeColumns(
        lots_e8=frame["lots_e8"].to_numpy(),
        hold_ms=hold(frame),
        close_utc_ms=frame["close_utc"].to_numpy(),
        client=attributed.client_id[rows].astype(np.int64),
        symbol=symbol,
        group=group,
        chain=attributed.chain[rows].astype(np.int32),
        cancelled=cancelled if cancelled.any() else None,
        trade_row=rows,
        own=_own(frame["rate_profit_e8"].to_numpy(), symbol, currency, known,
                 tuple(attributed.currencies)),
        currency=currency,
        account_currencies=tuple(attributed.currencies),
        **_optional(frame),
    )  # fmt: skip
    chains = tuple(tuple(one) for one in attributed.chains)
    return Placed(trades, tuple(known), tuple(groups), chains, rows, np.zeros(len(rows), np.int64))


def joined(parts: Sequence[Placed]) -> Placed:
    """Return the trades of several frames as one; `trade_row` becomes a place in the whole."""
    symbols, symbol = _merged([one.symbols for one in parts], [one.trades.symbol for one in parts])
    groups, group = _merged([one.groups for one in parts], [one.trades.group for one in parts])
    chains, chain = _merged([one.chains for one in parts], [one.trades.chain for one in parts])
    names, currency = _merged(
        [one.trades.account_currencies for one in parts], [_of(one, "currency") for one in parts]
    )
    countries, country = _merged(
        [one.trades.countries for one in parts], [_of(one, "country") for one in parts]
    )
    columns = {name: _stacked(parts, name) for name in _columns()}
    columns |= {
        "symbol": symbol, "group": group, "chain": chain, "currency": currency,
        "country": country, "trade_row": np.arange(sum(map(len, parts)), dtype=np.int64),
        "own": _own(_own_rate(parts), symbol, currency, symbols, tuple(names)),
    }  # fmt: skip
    trades = TradeColumns(**columns, account_currencies=tuple(names), countries=tuple(countries))
    source = np.repeat(np.arange(len(parts)), [len(one) for one in parts])
    rows = np.concatenate([one.rows for one in parts]) if parts else np.zeros(0, np.int64)
    return Placed(trades, tuple(symbols), tuple(groups), tuple(chains), rows, source)


def _optional(frame: pl.DataFrame) -> dict[str, Any]:
    given: dict[str, Any] = {
        name: frame[column].cast(_POLARS[kind]).to_numpy().astype(kind, copy=False)
        for name, (column, kind) in _SAME.items()
        if column in frame.columns
    }
    if "kind" in frame.columns:
        given["partial"] = frame["kind"].to_numpy() == Kind.PARTIAL
    if "login" in frame.columns:
        server = frame["server_id"].cast(pl.Int64).to_numpy() if "server_id" in frame.columns else 0
        given["account"] = frame["login"].to_numpy() + server * _SERVER
    if "country" in frame.columns:
        cells = frame["country"].fill_null("")
        names = sorted(name for name in cells.unique() if name)
        place = {name: number for number, name in enumerate(names)} | {"": -1}
        given["country"] = cells.replace_strict(place, return_dtype=pl.Int32).to_numpy()
        given["countries"] = tuple(names)
    return given


_POLARS: dict[Any, Any] = {
    np.int64: pl.Int64, np.int32: pl.Int32, np.int16: pl.Int16, np.int8: pl.Int8,
    np.bool_: pl.Boolean,
}  # fmt: skip


def _own(
    rate_e8: Longs, symbol: npt.NDArray[np.int32], currency: npt.NDArray[np.int32],
    symbols: Sequence[SymbolPlace], currencies: tuple[str, ...],
) -> OwnRates | None:  # fmt: skip
    if not (rate_e8 > 0).any():
        return None
    return OwnRates(rate_e8, symbol, currency, tuple(one.currency for one in symbols), currencies)


def _own_rate(parts: Sequence[Placed]) -> Longs:
    zero = [
        np.zeros(len(one), np.int64) if one.trades.own is None else one.trades.own.rate_e8
        for one in parts
    ]
    return np.concatenate(zero) if zero else np.zeros(0, np.int64)


def _columns() -> list[str]:
    """Return the names of the fields that are columns whose values mean the same in every part."""
    placed_by_name = {"symbol", "group", "chain", "currency", "country", "trade_row", "own",
                      "account_currencies", "countries", "value_currency"}  # fmt: skip
    return [one.name for one in fields(TradeColumns) if one.name not in placed_by_name]


_NEEDED = ("lots_e8", "hold_ms", "close_utc_ms", "client")
_UNKNOWN: dict[str, int] = {
    "reason": -1, "qualified_ms": 0, "typical_points_e8": -1, "markup_points_e8": -1,
    "gateway_markup_points_e8": -1,
}  # fmt: skip


def _stacked(parts: Sequence[Placed], name: str) -> Any:
    """Return a column of all parts, None where none has it; unknown where one has it not."""
    held = [getattr(one.trades, name) for one in parts]
    first = next((one for one in held if one is not None), None)
    if first is None:
        return np.zeros(0, np.int64) if name in _NEEDED and not parts else None
    filled = [
        np.full(len(one), _UNKNOWN.get(name, 0), first.dtype) if column is None else column
        for one, column in zip(parts, held, strict=True)
    ]
    return np.concatenate(filled)


def _of(one: Placed, name: str) -> npt.NDArray[np.int32]:
    column = getattr(one.trades, name)
    return np.full(len(one), -1, np.int32) if column is None else column


def _merged(
    lists: Sequence[Sequence[Any]], codes: Sequence[npt.NDArray[np.int32]]
) -> tuple[list[Any], npt.NDArray[np.int32]]:
    """Return one list of what the lists name, and the codes as places in it; -1 stays."""
    places: dict[Hashable, int] = {}
    parts = []
    for names, code in zip(lists, codes, strict=True):
        place = [places.setdefault(name, len(places)) for name in names]
        parts.append(np.array([*place, -1], np.int32)[code])
    joined_codes = np.concatenate(parts) if parts else np.zeros(0, np.int32)
    return list(places), joined_codes
