"""A statement's text in, its Reading out: sections, columns, and what the file says of itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts import TRADE, Kind
from pipshare.money import is_currency
from pipshare.period import to_ms
from pipshare.sources.files.decode import Opened
from pipshare.sources.files.markup import Rows
from pipshare.sources.files.printed import e8_column
from pipshare.sources.files.trade_rows import count_others
from pipshare.sources.mt4_statement.columns import cash_rows, closed_rows
from pipshare.sources.mt4_statement.sections import Sections, walk
from pipshare.sources.reading import CLIENT, Chunk, Meta, Reading

FORMAT = "mt4_statement"
_ACCOUNT = re.compile(r"[^:\uff1a]*[:\uff1a]\s*(\d{1,18})")
_LAST_WORD = re.compile(r"[^:\uff1a]+[:\uff1a]\s*(\S+)")
_PRINTED_TIME = re.compile(r"(\d{4})\s+(\w+)\s+(\d{1,2}),?\s+(\d{1,2}):(\d\d)(?::(\d\d))?")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December")  # fmt: skip
_HEDGED_BY = r"close hedge by #(\d{1,18})"


@dataclass(frozen=True)
class Head:
    """What the row above the closed section says; None = not said in a form that is certain."""

    account: int | None = None
    currency: str | None = None
    report_ms: int | None = None


def read(opened: Opened) -> Reading:
    """Read a statement. Raises BadInput when it has no closed section or breaks off inside it."""
    data, charset = opened.utf8()
    meta, chunk = parse_statement(data, opened.path.name, charset.name)
    return Reading(meta, lambda: iter([chunk]))


def parse_statement(data: bytes, name: str, encoding: str = "utf-8") -> tuple[Meta, Chunk]:
    """Parse a statement given as UTF-8; `name` and `encoding` are those of the file."""
    found = walk(Rows(data, name))
    if not found.width:
        raise BadInput(
            "no_closed_section",
            f"{name} looks like an MT4 statement but has no table of closed transactions: save "
            "the account history again with Save as Report or Save as Detailed Report",
        )
    if found.printed is None:
        raise BadInput(
            "statement_cut_off",
            f"{name} ends at line {found.last_line} before the total of its closed transactions: "
            "the file is cut off, export it again",
        )
    head = read_head(found.head)
    printed = e8_column(pl.Series([found.printed]))[0]
    meta = Meta(FORMAT, encoding, "mt4", CLIENT, head.account, head.currency, head.report_ms,
                closed_pl_printed_e8=printed)  # fmt: skip
    return meta, _chunk(found, head.account or 0)


def read_head(rows: list[list[str]]) -> Head:
    """Find account, currency and report time by their place: first, third and last cell."""
    for cells in rows:
        if len(cells) < 2 or not (account := _ACCOUNT.fullmatch(cells[0])):
            continue
        words = [found[1] for cell in cells[1:] if (found := _LAST_WORD.fullmatch(cell))]
        # The client's name stands before the currency, so the last code is the currency.
        codes = [word for word in words if is_currency(word)]
        return Head(int(account[1]), codes[-1] if codes else None, _printed_ms(cells[-1]))
    return Head()


def _printed_ms(text: str) -> int | None:
    """Read "2018 May 23, 12:19"; a month in another language leaves the time unknown."""
    found = _PRINTED_TIME.fullmatch(text.strip())
    if not found or found[2] not in _MONTHS:
        return None
    month = _MONTHS.index(found[2]) + 1
    try:
        moment = datetime(int(found[1]), month, int(found[3]), int(found[4]), int(found[5]),
                          int(found[6] or 0), tzinfo=UTC)  # fmt: skip
    except ValueError:
        return None
    return to_ms(moment)


def _chunk(found: Sections, login: int) -> Chunk:
    rows, refused = closed_rows(found, login)
    cash, bad_cash = cash_rows(found.cash, login)
    every = [*found.refused, *refused, *bad_cash]
    chunk = Chunk(
        trades=rows.select(TRADE.keys()),
        cash=cash,
        refused=sorted(every, key=lambda refusal: refusal.line),
        cancelled=found.cancelled,
        first_line=found.first_line,
        last_line=found.last_line,
    )
    beside = rows["compacted"] | rows["closed_by"]
    if beside.any():
        chunk.others = chunk.trades.filter(beside)
        count_others(chunk, chunk.others, 1)
        chunk.trades = _close_by(rows.filter(~beside), rows.filter("closed_by"))
    return chunk


def _close_by(trades: pl.DataFrame, emptied: pl.DataFrame) -> pl.DataFrame:
    """Mark the trades whose other half stands below with no lots and a comment that names them."""
    siblings = emptied["comment"].str.extract(_HEDGED_BY).cast(pl.Int64, strict=False)
    closed_by = pl.col("ticket").is_in(siblings.to_list())
    kind = pl.when(closed_by).then(pl.lit(int(Kind.CLOSE_BY), pl.Int8)).otherwise("kind")
    return trades.with_columns(kind=kind).select(TRADE.keys())
