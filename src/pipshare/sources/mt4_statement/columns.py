"""The cells of closed trades and balance rows as checked columns.

A row is refused by the first rule it breaks; the rules stand in one table, so that what is
checked can be read off. Everything else passes unchanged: signs, suffixes and case as printed.
"""

from __future__ import annotations

import polars as pl
import polars.selectors as cs

from pipshare.facts import CASH, TRADE, Kind, Opening, Refusal, Side, empty
from pipshare.sources.files.cash_kinds import cash_kind
from pipshare.sources.files.markup import MAX_CELL
from pipshare.sources.files.printed import e8_column, int_column, ms_column
from pipshare.sources.mt4_statement.sections import CashRow, Sections

_CELLS = (
    "ticket", "open_ms", "type", "lots_e8", "symbol", "open_price_e8", "sl", "tp",
    "close_ms", "close_price_e8", "commission_e8", "fee_e8", "swap_e8", "profit_e8",
)  # fmt: skip
MONEY = ("commission_e8", "fee_e8", "swap_e8", "profit_e8")
_FIGURES = ("lots_e8", "open_price_e8", "close_price_e8", *MONEY)
_COMPACTED = "profit"  # the Item of a pseudo-trade that stands for compacted history
# MetaQuotes' EnDealReason for what the server itself writes at the end of a comment.
_REASONS = ((r"\[sl\]$", 3), (r"\[tp\]$", 4), (r"^so: ?\d", 5))

_col = pl.col
_market = ~_col("compacted")


def _missing(*names: str) -> pl.Expr:
    return pl.any_horizontal(_col(name).is_null() for name in names)


# (code, sentence, test that a bad row passes), in the order they are asked.
_RULES: tuple[tuple[str, str, pl.Expr], ...] = (
    ("cell_too_long", "a cell is longer than any real one (1,024 characters)", _col("long")),
    ("bad_number", "the ticket is no number above zero", _col("ticket").fill_null(0) <= 0),
    ("not_a_number", "commission, taxes, swap or profit is no number", _missing(*MONEY)),
    ("unknown_type", "the type is neither buy nor sell", _market & _missing("side")),
    ("not_a_number", "the size is no number", _market & _missing("lots_e8")),
    ("volume_not_positive", "the size is not more than zero",
     _market & (_col("lots_e8") <= 0) & ~_col("closed_by")),
    ("empty_field", "the symbol is missing", _col("symbol") == ""),
    ("bad_symbol", "the symbol is longer than any real one", _col("symbol").str.len_bytes() > 64),
    ("bad_time", "the open or close time is no time", _market & _missing("open_ms", "close_ms")),
    ("close_before_open", "it closes before it opens",
     _market & (_col("close_ms") < _col("open_ms"))),
    ("not_a_number", "a price is no number", _market & _missing("open_price_e8",
     "close_price_e8")),
    ("price_not_positive", "a price is not more than zero",
     _market & ((_col("open_price_e8") <= 0) | (_col("close_price_e8") <= 0))),
)  # fmt: skip


def closed_rows(found: Sections, login: int) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return every understood closed row and the refused ones.

    The frame has the columns of TRADE plus `comment`, `compacted` (history compaction) and
    `closed_by` (the empty half of a close-by).
    """
    if not found.lines:
        nothing = empty(TRADE | {"comment": pl.String, "compacted": pl.Boolean,
                                 "closed_by": pl.Boolean})  # fmt: skip
        return nothing, []
    frame = _typed(found, login)
    code = pl.coalesce(pl.when(test).then(pl.lit(rank)) for rank, (_, _, test) in enumerate(_RULES))
    frame = frame.with_columns(broken=code)
    bad = frame["broken"].is_not_null()
    refused = [
        _refusal(int(line), int(rank), found.cells[row * found.width : (row + 1) * found.width])
        for row, (line, rank) in enumerate(zip(frame["line"], frame["broken"], strict=True))
        if rank is not None
    ] if bad.any() else []  # fmt: skip
    good = frame.filter(~bad).drop("broken", "long")
    # Compaction rows may leave everything but the money empty.
    return good.with_columns(cs.integer().fill_null(0)), refused


def _typed(found: Sections, login: int) -> pl.DataFrame:
    names = _CELLS if found.width == 14 else tuple(n for n in _CELLS if n != "fee_e8")
    texts = {
        name: pl.Series(name, found.cells[place :: found.width], dtype=pl.String)
        for place, name in enumerate(names)
        if name not in ("sl", "tp")
    }
    rows = len(found.lines)
    texts.setdefault("fee_e8", pl.Series(["0"]).new_from_index(0, rows))
    # One pass over all figures of the table, then cut apart again.
    figures = e8_column(pl.concat([texts[name] for name in _FIGURES]))
    times = ms_column(pl.concat([texts["open_ms"], texts["close_ms"]]))
    columns = {name: figures.slice(n * rows, rows) for n, name in enumerate(_FIGURES)}
    columns |= {"open_ms": times.slice(0, rows), "close_ms": times.slice(rows, rows)}
    columns["ticket"] = int_column(texts["ticket"])
    columns["line"] = pl.Series(found.lines, dtype=pl.Int32)
    columns["comment"] = pl.Series(found.comments, dtype=pl.String).str.strip_chars()
    columns["symbol"] = texts["symbol"].str.strip_chars()
    columns["type"] = texts["type"].str.strip_chars().str.to_lowercase()
    columns["long"] = pl.Series(_long(found))
    return _derived(pl.DataFrame(columns), login)


def _long(found: Sections) -> list[bool]:
    """Tell for each trade whether one of its cells is longer than any real one."""
    if not found.long_cells:
        return [False] * len(found.lines)
    longest = [max(map(len, found.cells[n : n + found.width]))
               for n in range(0, len(found.cells), found.width)]  # fmt: skip
    return [max(cell, len(comment)) > MAX_CELL
            for cell, comment in zip(longest, found.comments, strict=True)]  # fmt: skip


def _derived(frame: pl.DataFrame, login: int) -> pl.DataFrame:
    comment = pl.col("comment")
    reason = pl.coalesce(
        [*(pl.when(comment.str.contains(p)).then(pl.lit(r)) for p, r in _REASONS), pl.lit(-1)]
    )
    partial = comment.str.contains(r"(?:from|to) #\d|partial close")
    frame = frame.with_columns(
        login=pl.lit(login, pl.Int64),
        position=pl.lit(0, pl.Int64),
        side=pl.col("type").replace_strict(
            {"buy": int(Side.BUY), "sell": int(Side.SELL)}, default=None, return_dtype=pl.Int8
        ),
        kind=pl.when(partial).then(int(Kind.PARTIAL)).otherwise(int(Kind.WHOLE)),
        reason=reason,
        rate_profit_e8=pl.lit(0, pl.Int64),
        contract_e8=pl.lit(0, pl.Int64),
        opening=pl.lit(int(Opening.KNOWN)),
        compacted=pl.col("symbol").str.to_lowercase() == _COMPACTED,
        closed_by=(pl.col("lots_e8") == 0) & comment.str.contains(r"close hedge by #\d"),
    )
    facts = (pl.col(name).cast(kind) for name, kind in TRADE.items())
    return frame.select(*facts, "comment", "compacted", "closed_by", "long")


def _refusal(line: int, rank: int, cells: list[str]) -> Refusal:
    code, sentence, _ = _RULES[rank]
    short = [cell.strip() if len(cell) <= 60 else f"{cell[:40].strip()}..." for cell in cells]
    return Refusal(line, code, f"ticket {short[0]}: {sentence}", " | ".join(short))


def cash_rows(rows: list[CashRow], login: int) -> tuple[pl.DataFrame, list[Refusal]]:
    """Return the balance operations as a CASH frame, and the refused ones."""
    if not rows:
        return empty(CASH), []
    good, refused = [], []
    tickets = int_column(pl.Series([row.ticket for row in rows], dtype=pl.String))
    times = ms_column(pl.Series([row.time for row in rows], dtype=pl.String))
    amounts = e8_column(pl.Series([row.amount for row in rows], dtype=pl.String))
    for row, ticket, time, amount in zip(rows, tickets, times, amounts, strict=True):
        raw = " | ".join((row.ticket, row.time, row.type, row.comment[:60], row.amount))[:500]
        if None in (ticket, time, amount) or row.type.casefold() in ("buy", "sell"):
            reason = f"ticket {row.ticket[:40]}: a balance row needs ticket, time and amount"
            refused.append(Refusal(row.line, "bad_balance_row", reason, raw))
        elif len(row.comment) > MAX_CELL:
            reason = f"ticket {ticket}: the comment is longer than any real one"
            refused.append(Refusal(row.line, "cell_too_long", reason, raw))
        else:
            good.append((ticket, login, time, row.type, amount, row.comment, row.line))
    frame = pl.DataFrame(good, schema=CASH, orient="row")
    is_credit = pl.col("kind").str.to_lowercase() == "credit"
    return frame.with_columns(kind=cash_kind(pl.col("comment"), is_credit)), refused
