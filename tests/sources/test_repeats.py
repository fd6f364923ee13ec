"""One identity comes once in a file: equal repeats collapse, contradictions are all refused."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.facts import CASH, DEAL, TRADE
from pipshare.sources.files.repeats import once
from pipshare.sources.files.trade_rows import count_others
from pipshare.sources.reading import OPERATOR, Chunk, Meta, Reading

META = Meta("mt4_manager", "utf-8", "mt4", OPERATOR)
Row = tuple[int, int, int]  # identity, profit in units, line


def trades(rows: list[Row]) -> pl.DataFrame:
    base = dict.fromkeys(TRADE, 1) | {"symbol": "EURUSD"}
    return pl.DataFrame(
        [base | {"ticket": t, "profit_e8": p * 10**8, "line": n} for t, p, n in rows], schema=TRADE
    )


def deals(rows: list[Row]) -> pl.DataFrame:
    base = dict.fromkeys(DEAL, 1) | {"symbol": "EURUSD"}
    return pl.DataFrame(
        [base | {"deal": t, "profit_e8": p * 10**8, "line": n} for t, p, n in rows], schema=DEAL
    )


def cash(rows: list[Row]) -> pl.DataFrame:
    base = dict.fromkeys(CASH, 1) | {"kind": "deposit", "comment": "x"}
    return pl.DataFrame(
        [base | {"ticket": t, "amount_e8": p, "line": n} for t, p, n in rows], schema=CASH
    )


def reading(*chunks: Chunk, cheap: bool = False) -> Reading:
    def identities() -> Iterator[pl.Series]:
        for chunk in chunks:
            yield pl.concat([chunk.trades["ticket"], chunk.cash["ticket"]])

    return Reading(META, lambda: iter(chunks), identities if cheap else None)


def taken(result: Reading) -> tuple[list[tuple[int, int]], int, list[int]]:
    """Return (ticket, line) of the trades kept, repeats counted, lines refused."""
    chunks = list(result.chunks())
    return (
        [row for c in chunks for row in c.trades.select("ticket", "line").rows()],
        sum(c.repeated for c in chunks),
        [r.line for c in chunks for r in c.refused],
    )


def test_equal_repeats_collapse_to_the_first() -> None:
    result = once(reading(Chunk(trades([(1, 5, 2), (2, 6, 3), (1, 5, 4), (1, 5, 9)]))))
    assert taken(result) == ([(1, 2), (2, 3)], 2, [])


def test_contradicting_rows_are_all_refused_and_name_each_other() -> None:
    result = once(reading(Chunk(trades([(1, 5, 2), (2, 6, 3), (1, 5, 4), (1, 7, 9)]))))
    assert taken(result) == ([(2, 3)], 0, [2, 4, 9])
    (chunk,) = result.chunks()
    assert {one.code for one in chunk.refused} == {"conflicting_rows"}
    assert "ticket 1 comes 3 times" in chunk.refused[0].reason
    assert "lines 2, 4, 9" in chunk.refused[0].reason
    assert "profit 5.00" in chunk.refused[0].raw


@pytest.mark.parametrize("cheap", [False, True])
def test_chunks_are_compared_with_each_other(cheap: bool) -> None:
    parts = [Chunk(trades([(1, 5, 2), (2, 6, 3)])), Chunk(trades([(3, 1, 4), (2, 6, 5)])),
             Chunk(trades([(1, 9, 6), (4, 4, 7)]))]  # fmt: skip
    result = once(reading(*parts, cheap=cheap))
    expected = ([(2, 3), (3, 4), (4, 7)], 1, [2, 6])
    assert taken(result) == expected
    assert taken(result) == expected  # and again, from the start


def test_a_balance_row_with_the_ticket_of_a_trade_contradicts_it() -> None:
    chunk = Chunk(trades([(1, 5, 2)]), cash=cash([(1, 5, 3), (8, 1, 4), (8, 1, 5)]))
    (only,) = once(reading(chunk)).chunks()
    assert (len(only.trades), only.cash["line"].to_list(), only.repeated) == (0, [4], 1)
    assert [one.line for one in only.refused] == [2, 3]


def test_deals_of_the_base_and_the_year_table_collapse() -> None:
    parts = [
        Chunk(deals=deals([(1, 5, 2), (2, 6, 3)])),
        Chunk(deals=deals([(2, 6, 90), (3, 7, 91)])),
    ]
    chunks = list(once(reading(*parts)).chunks())
    assert [d for c in chunks for d in c.deals["deal"]] == [1, 2, 3]
    assert [c.repeated for c in chunks] == [0, 1]


def test_repeated_rows_that_are_no_trades_leave_the_sums() -> None:
    others = trades([(7, 3, 2), (7, 3, 3)]).with_columns(symbol=pl.lit("profit"))
    chunk = Chunk(others=others)
    count_others(chunk, others, 1)
    before = chunk.compaction_pl_e8
    (only,) = once(reading(chunk)).chunks()
    assert (only.compaction_rows, only.compaction_pl_e8 * 2, only.repeated) == (1, before, 1)


def test_a_journals_conflict_speaks_of_what_it_prints() -> None:
    (only,) = once(reading(Chunk(trades([(-5, 1, 2), (-5, 2, 3)])))).chunks()
    assert only.refused[0].reason.startswith("the same ticket, close time and volume comes 2 times")


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 2)), max_size=14),
    st.integers(1, 5), st.booleans(),
)  # fmt: skip
def test_the_cut_into_chunks_does_not_matter(
    rows: list[tuple[int, int]], size: int, cheap: bool
) -> None:
    numbered = [(ticket, profit, line) for line, (ticket, profit) in enumerate(rows, 2)]
    parts = [Chunk(trades(numbered[at : at + size])) for at in range(0, len(rows), size)]
    contents: dict[int, set[int]] = {}
    for ticket, profit in rows:
        contents.setdefault(ticket, set()).add(profit)
    clashing = {ticket for ticket, told in contents.items() if len(told) > 1}
    seen: set[int] = set()
    kept = []
    for ticket, _, line in numbered:
        if ticket not in clashing and ticket not in seen:
            kept.append((ticket, line))
            seen.add(ticket)
    found = taken(once(reading(*parts, cheap=cheap)))
    refused = [line for ticket, _, line in numbered if ticket in clashing]
    assert found == (kept, len(rows) - len(kept) - len(refused), refused)
