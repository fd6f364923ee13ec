"""Balance operations among an MT5 source's deals, as CASH rows of the kinds that files have."""

from __future__ import annotations

import polars as pl

from pipshare.facts import CASH, CashKind
from pipshare.sources.files.cash_kinds import cash_kind

BALANCE = 2
# EnDealAction; an action that is none of these and no trade is kept as a deal only.
KINDS = {
    BALANCE: CashKind.BALANCE, 3: CashKind.CREDIT, 4: CashKind.FEE, 5: CashKind.CORRECTION,
    6: CashKind.BONUS, 7: CashKind.COMMISSION, 8: CashKind.COMMISSION, 9: CashKind.COMMISSION,
    10: CashKind.AGENT, 11: CashKind.AGENT, 12: CashKind.INTEREST, 15: CashKind.DIVIDEND,
    16: CashKind.DIVIDEND, 17: CashKind.TAX, 18: CashKind.AGENT, 19: CashKind.COMPENSATION,
    20: CashKind.COMPENSATION,
}  # fmt: skip
_MONEY = ("profit_e8", "swap_e8", "commission_e8", "fee_e8")


def cash_rows(deals: pl.DataFrame, comments: pl.Series) -> pl.DataFrame:
    """Return the balance operations of a DEAL frame as a CASH frame.

    `comments` is parallel to the rows: a plain balance row is told by its comment.
    """
    rows = deals.with_columns(comment=comments).filter(pl.col("action").is_in(list(KINDS)))
    named = pl.col("action").replace_strict(
        {number: str(kind) for number, kind in KINDS.items()}, return_dtype=pl.String
    )
    told = cash_kind(pl.col("comment"), pl.lit(False))
    return rows.select(
        ticket="deal",
        login="login",
        time_ms="time_ms",
        kind=pl.when(pl.col("action") == BALANCE).then(told).otherwise(named),
        amount_e8=pl.sum_horizontal(_MONEY),
        comment="comment",
        line=pl.lit(0, pl.Int32),
    ).select(pl.col(name).cast(kind) for name, kind in CASH.items())
