"""Which events count where several sources tell of the same: each deposit once, whoever told it.

Pure. Where a source is authoritative for a kind of fact, the others' events of it are kept and do
not count. Where none is, what two sources tell of one client (same kind, amount and currency, at
most WITHIN_MS apart) counts once: the one of which more was taken back, else the earlier; whatever
the order in which they came. Reversals and disputes go with what they are about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from pipshare.facts.events import KYC, REFERRING
from pipshare.period import HOUR_MS

MONEY_FACT, KYC_FACT = "money", "kyc"
FACTS = (MONEY_FACT, KYC_FACT)
MOVES = ("deposit", "withdrawal")  # with what takes them back: the kinds of fact that are money
WITHIN_MS = 48 * HOUR_MS  # one says when it was sent, another when it was approved
COUNTS, OTHER_SOURCE, TOLD_TWICE = "", "other_source", "told_twice"
_TOLD = ("entity", "client_id", "kind", "currency", "amount_e8")


@dataclass(frozen=True)
class Authority:
    """From a moment on (UTC ms) one source's events of a kind of fact count; "" = all sources'."""

    entity: str
    fact: str
    from_ms: int
    source: str


def authority_at(known: Sequence[Authority], entity: str, fact: str, at_ms: int) -> str:
    """Return whose events count; "" = everybody's. `known` in the order of recording."""
    told = [one for one in known if (one.entity, one.fact) == (entity, fact)
            and one.from_ms <= at_ms]  # fmt: skip
    # A later record takes the place of all before it from its moment on.
    return told[-1].source if told else ""


def why_not(events: pl.DataFrame, known: Sequence[Authority]) -> pl.Series:
    """Return for each event COUNTS, OTHER_SOURCE or TOLD_TWICE.

    `events`: EVENT with `client_id` and `original`, as clients.events_of reads them.
    """
    reasons = [COUNTS] * len(events)
    moves, kyc = pl.col("kind").is_in(MOVES), pl.col("kind").is_in(KYC)
    rows = events.with_row_index("row").filter(moves | (kyc & pl.lit(bool(known))))
    if known:
        rows = rows.with_columns(whose=_whose(known))
        others = (pl.col("whose") != "") & (pl.col("whose") != pl.col("source"))
        for row in rows.filter(others)["row"]:
            reasons[row] = OTHER_SOURCE
        rows = rows.filter(pl.col("whose") == "")
    for row in _told_twice(events, rows.filter(moves)):
        reasons[row] = TOLD_TWICE
    _with_originals(events, reasons)
    return pl.Series("why_not", reasons, dtype=pl.String)


def _whose(known: Sequence[Authority]) -> pl.Expr:
    """Return whose word counts of each event, as authority_at does of one."""
    whose = pl.lit("")
    for one in known:
        kinds = MOVES if one.fact == MONEY_FACT else KYC
        said = (pl.col("entity") == one.entity) & pl.col("kind").is_in(kinds)
        whose = (
            pl.when(said & (pl.col("at_ms") >= one.from_ms))
            .then(pl.lit(one.source))
            .otherwise(whose)
        )
    return whose


def twins(events: pl.DataFrame, rows: pl.DataFrame) -> list[list[int]]:
    """Return the rows that tell of one movement, that which counts first; only where several do.

    `rows`: those rows of `events` (with `row`) among which twins are looked for.
    """
    several = pl.col("source").n_unique().over(_TOLD) > 1
    rows = rows.filter(pl.col("client_id") >= 0).filter(several)
    if not len(rows):
        return []
    taken = _taken_back(events)
    groups: dict[tuple[object, ...], list[tuple[int, str, str, int]]] = defaultdict(list)
    for *told, at, source, event, row in rows.select(
        *_TOLD, "at_ms", "source", "event", "row"
    ).iter_rows():
        groups[tuple(told)].append((at, source, event, row))
    found = []
    for some in groups.values():
        for mine in _together(sorted(some)):
            mine.sort(key=lambda one: (-taken[one[3]], one))
            found.append([row for *_, row in mine])
    return sorted(found)


def _told_twice(events: pl.DataFrame, rows: pl.DataFrame) -> Iterable[int]:
    return [row for mine in twins(events, rows) for row in mine[1:]]


def _together(told: Sequence[tuple[int, str, str, int]]) -> list[list[tuple[int, str, str, int]]]:
    """Put each with the next one of every other source that is near enough."""
    found, used = [], set()
    for place, first in enumerate(told):
        if place in used:
            continue
        mine, sources = [first], {first[1]}
        for later in range(place + 1, len(told)):
            if told[later][0] - first[0] > WITHIN_MS:
                break
            if later not in used and told[later][1] not in sources:
                used.add(later)
                sources.add(told[later][1])
                mine.append(told[later])
        if len(mine) > 1:
            found.append(mine)
    return found


def _taken_back(events: pl.DataFrame) -> Counter[int]:
    about = events.filter(pl.col("kind").is_in(REFERRING) & (pl.col("original") >= 0))
    return Counter(about["original"].to_list())


def _with_originals(events: pl.DataFrame, reasons: list[str]) -> None:
    if not any(reasons):
        return
    about = events.with_row_index("row").filter(
        pl.col("kind").is_in(REFERRING) & (pl.col("original") >= 0)
    )
    for row, original in about.select("row", "original").iter_rows():
        reasons[row] = reasons[original]
