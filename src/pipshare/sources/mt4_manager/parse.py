"""MT4 Manager rows into trades and balance operations, block by block."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts import CASH
from pipshare.money.currencies import is_currency
from pipshare.sources.files.cash_kinds import cash_kind
from pipshare.sources.files.csv_rows import Rows, Shape, csv_rows, identities
from pipshare.sources.files.decode import Opened
from pipshare.sources.files.numbers import (
    e8,
    number_fault,
    time_fault,
    whole,
    whole_fault,
)
from pipshare.sources.files.printed import ms_column
from pipshare.sources.files.trade_rows import (
    COLUMNS,
    add_leftovers,
    closed_trades,
    leftovers,
    with_all,
)
from pipshare.sources.mt4_manager.header import Header, find_header, nearly
from pipshare.sources.mt4_manager.totals import printed_profit_e8
from pipshare.sources.reading import OPERATOR, Chunk, Meta, Reading

TIME_FORM = "%Y.%m.%d %H:%M:%S"
CASH_TYPES = ("balance", "credit")
COMMENT = 200  # characters of a balance row's comment that are kept; MT4 has 31


def read(opened: Opened) -> Reading:
    """Open a Manager export. Raises BadInput when it has no such header."""
    header = find_header(opened.text)
    if header is None:
        lacks = nearly(opened.text)
        what = f"; it lacks: {', '.join(lacks)}" if lacks else ""
        raise BadInput(
            "no_manager_header",
            f"{opened.path.name} has no header of an MT4 Manager export (Deal, Login, Open Time, "
            f"Type, Symbol, Volume ...) in its first lines{what}. Export it again with all columns",
        )
    meta = Meta(
        "mt4_manager", opened.charset.name, "mt4", OPERATOR,
        closed_pl_printed_e8=printed_profit_e8(opened, header),
    )  # fmt: skip
    shape = Shape(header.delimiter, header.width, header.columns, header.line)

    def chunks() -> Iterator[Chunk]:
        currencies = _Currencies()
        for rows in csv_rows(opened, shape, list(header.columns)):
            chunk = _chunk(rows, header)
            if "currency" in header.columns:
                chunk.currencies = currencies.new_in(rows.frame)
            yield chunk

    return Reading(meta, chunks, lambda: identities(opened, shape, "ticket"))


def _chunk(rows: Rows, header: Header) -> Chunk:
    frame = with_all(rows.frame)
    trades, rest, cancelled = closed_trades(frame, TIME_FORM, lossy=rows.lossy)
    chunk = Chunk(trades, cancelled=cancelled)
    chunk.first_line, chunk.last_line = rows.block.first_line, rows.last_line
    if len(rest):
        _sort_out(rest, rows, header, chunk)
    chunk.refused = sorted(rows.refused, key=lambda refusal: refusal.line)
    return chunk


def _sort_out(rest: pl.DataFrame, rows: Rows, header: Header, chunk: Chunk) -> None:
    """Put what closed_trades did not take where it belongs."""
    kind = pl.col("type").str.strip_chars().str.to_lowercase()
    # Totals stand below the rows: neither ticket nor login.
    total = (pl.col("ticket").str.strip_chars() == "") & (pl.col("login").str.strip_chars() == "")
    cash = kind.is_in(CASH_TYPES)
    balance, other = rest.filter(cash & ~total), rest.filter(~cash & ~total)
    if len(balance):
        chunk.cash = _cash(balance, rows, header)
    if len(other):
        add_leftovers(chunk, leftovers(other, rows, header.captions))


def _cash(cash: pl.DataFrame, rows: Rows, header: Header) -> pl.DataFrame:
    """Balance rows: the comment stands in Symbol (and Comment), the amount in Profit."""
    cash = cash.with_columns(pl.col(COLUMNS).str.strip_chars())
    told = pl.when(pl.col("comment") == "").then(pl.col("symbol")).otherwise(pl.col("comment"))
    # Lazy: the comment is lowered once for all rules then.
    typed = (
        cash.with_columns(time_ms=ms_column(cash["open_time"]))
        .lazy()
        .select(
            whole("ticket").alias("ticket"),
            whole("login").alias("login"),
            "time_ms",
            cash_kind(told, pl.col("type").str.to_lowercase() == "credit").alias("kind"),
            e8("profit").alias("amount_e8"),
            told.str.head(COMMENT).alias("comment"),
            "line",
        )
        .select(pl.col(name).cast(type_) for name, type_ in CASH.items())
        .collect()
    )
    good = typed.select(
        ((pl.col("ticket") > 0) & (pl.col("login") > 0) & (pl.col("time_ms") > 0)
         & pl.col("amount_e8").is_not_null()).fill_null(False)
    ).to_series()  # fmt: skip
    _refuse_cash(cash.filter(~good), typed.filter(~good), rows, header)
    return typed.filter(good)


def _refuse_cash(
    cash: pl.DataFrame, typed: pl.DataFrame, rows: Rows, header: Header
) -> None:  # fmt: skip
    names = header.captions
    for cells, ms in zip(cash.iter_rows(named=True), typed["time_ms"], strict=True):
        code, reason = (
            whole_fault(names["ticket"], cells["ticket"])
            or whole_fault(names["login"], cells["login"])
            or time_fault(names["open_time"], cells["open_time"], ms)
            or number_fault(names["profit"], cells["profit"])
            or ("unreadable_row", "the balance row cannot be read")
        )
        rows.refuse(int(cells["line"]), code, f"ticket {cells['ticket'][:20]}: {reason}")


class _Currencies:
    """The account currencies that rows name, each account told once."""

    def __init__(self) -> None:
        self._seen: dict[str, pl.Series] = {}

    def new_in(self, frame: pl.DataFrame) -> dict[int, str]:
        """Return {login: currency} of the accounts whose currency was not told before."""
        told: dict[int, str] = {}
        codes = frame["currency"]
        alike = len(codes) and (codes == codes[0]).all()  # far cheaper than unique, and common
        for code in codes[:1] if alike else codes.unique():
            if not is_currency(code):
                continue
            rows = frame if alike else frame.filter(pl.col("currency") == code)
            logins = rows.select(whole("login")).to_series().drop_nulls().unique()
            seen = self._seen.get(code, pl.Series([], dtype=pl.Int64))
            new = logins.filter(~logins.is_in(seen.implode()))
            self._seen[code] = pl.concat([seen, new])
            told.update(dict.fromkeys(new.to_list(), code))
        return told
