"""What reading a file gives: what it is, and its facts chunk by chunk.

Every format builds these same values, so that what follows (summary, import, tests) is one piece
of code for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import polars as pl

from pipshare.facts import CASH, DEAL, TRADE, Refusal, empty

OPERATOR = "operator"  # an export by the broker: books
CLIENT = "client"  # a document that a client can edit: books only with trust given on purpose


@dataclass(frozen=True)
class Meta:
    """What a file says of itself. None = it does not say, or names several."""

    format: str  # mt4_statement, mt4_manager, mt5_report, mt5_sql, journal, mapped
    encoding: str
    platform: str  # mt4 or mt5
    provenance: str  # OPERATOR or CLIENT
    account: int | None = None
    currency: str | None = None
    report_ms: int | None = None  # report time it prints, server clock
    closed_pl_printed_e8: int | None = None
    server: str | None = None  # the trade server's own name, a hint for --server


@dataclass
class Chunk:
    """Facts of some consecutive rows. Frames follow facts.TRADE, facts.DEAL and facts.CASH.

    Inside one file an identity comes once: equal repeats are counted in `repeated`, rows that
    contradict each other are all in `refused`.

    The P/L that a statement prints counts more rows than `trades` holds. To reach it, sum
    commission + fee (taxes) + swap + profit over `trades` and add `compaction_pl_e8` (rows left
    by history compaction) and `other_pl_e8` (closed rows that are no trade of their own: the
    empty half of a close-by). The commission and swap of those two kinds of rows are in
    `other_commission_e8` and `other_swap_e8`.
    """

    trades: pl.DataFrame = field(default_factory=lambda: empty(TRADE))
    deals: pl.DataFrame = field(default_factory=lambda: empty(DEAL))
    cash: pl.DataFrame = field(default_factory=lambda: empty(CASH))
    refused: list[Refusal] = field(default_factory=list)
    cancelled: int = 0
    compaction_rows: int = 0
    compaction_pl_e8: int = 0
    other_pl_e8: int = 0
    other_commission_e8: int = 0
    other_swap_e8: int = 0
    repeated: int = 0
    first_line: int = 0
    last_line: int = 0
    # Account currency per login where rows name it (Manager CSV): {login: "USC"}.
    currencies: dict[int, str] = field(default_factory=dict)
    # The rows behind the compaction and other sums, in TRADE's columns, where a format keeps them.
    others: pl.DataFrame = field(default_factory=lambda: empty(TRADE))
    open_rows: int = 0  # trades that are still open: neither taken nor refused


@dataclass(frozen=True)
class Reading:
    """An opened file. `chunks()` may be called again and starts over each time.

    Raises BadInput (code, sentence) when the file turns out not to be what it seemed.
    """

    meta: Meta
    chunks: Callable[[], Iterator[Chunk]]
    # A cheap scan of the identity column alone (Int64), where a format has one for big files.
    identities: Callable[[], Iterator[pl.Series]] | None = None
