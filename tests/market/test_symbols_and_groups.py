"""Printed symbol names and group masks, held to a plain reading of their rules."""

from __future__ import annotations

import string
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipshare.market import (
    GroupRow,
    SymbolBook,
    SymbolRow,
    group_history,
    match_group,
    matches,
)
from pipshare.period import Segments


def symbol(id_: int, name: str, *aliases: str, server: int | None = None) -> SymbolRow:
    return SymbolRow(id_, name, "", 5, 10**13, "USD", aliases, server)


BOOK = SymbolBook(
    [
        symbol(1, "EURUSD"),
        symbol(2, "XAUUSD", "GOLD", "Gold.spot"),
        symbol(3, "EURUSD", server=7),
        symbol(4, "US30.cash", "DJ30"),
        symbol(5, "EURUSD.pro", server=7),
    ],
    (".m", ".pro", "i", ".M.pro"),
)


@pytest.mark.parametrize(
    ("raw", "id_"),
    [
        ("EURUSD", 3), ("eurusd", 3), ("EURUSD.m", 3), ("EURUSDi", 3), ("EURUSD.pro", 5),
        ("gold", 2), ("GOLD.SPOT", 2), ("XAUUSD.m.pro", 2), ("us30.cash", 4), ("DJ30i", 4),
        ("GBPUSD", None), ("", None), (".m", None), ("EURUSD.x", None), ("EURUSD.m.m", None),
    ],
)  # fmt: skip
def test_resolve(raw, id_):
    found = BOOK.resolve(raw)
    assert (found.id if found else None) == id_


def test_the_longest_suffix_is_taken_off_first():
    book = SymbolBook([symbol(1, "AB"), symbol(2, "AB.x")], (".y", ".x.y"))
    assert book.resolve("ab.x.y").id == 1


NAMES = st.text("aAbB.", min_size=1, max_size=4)


@given(
    st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=2), st.sampled_from([None, 1])), max_size=6),
    st.lists(NAMES, max_size=3),
    st.lists(st.text("aAbB. ", max_size=6), max_size=12),
)
def test_symbol_columns_equal_a_plain_reading(table, suffixes, raws):
    rows = [
        SymbolRow(id_, name, "", 5, 1, "USD", tuple(aliases), server)
        for id_, (name, aliases, server) in enumerate(table)
    ]
    book = SymbolBook(rows, suffixes)

    def plain(raw: str) -> int | None:
        bare = raw.strip().lower()
        longest = sorted({s.lower() for s in suffixes}, key=lambda s: (-len(s), s))
        tries = [bare] + [bare[: -len(s)] for s in longest if bare.endswith(s)]
        for name in tries:
            for own in (1, None):
                for row in rows:
                    known = [row.symbol.lower(), *(a.lower() for a in row.aliases)]
                    if row.server_id == own and name in known:
                        return row.id
        return None

    wanted = [plain(raw) for raw in raws]
    found = [book.resolve(raw) for raw in raws]
    assert [row.id if row else None for row in found] == wanted
    places = book.resolve_column(pl.Series(raws, dtype=pl.String))
    assert [book.rows[p].id if p >= 0 else None for p in places] == wanted


def group(mask: str, since: int = 0, id_: int = 0) -> GroupRow:
    return GroupRow(id_, mask, "", Fraction(1), "normal", "", since)


@pytest.mark.parametrize(
    ("mask", "name", "wanted"),
    [
        ("*", "real\\std", True), ("real\\*", "REAL\\Std-USD", True), ("real\\*", "real", False),
        ("*cent*", "real\\Cent\\a", True), ("real\\s[t]d", "real\\std", False),
        ("real\\s?d", "real\\std", False), ("real\\std", "real\\std2", False),
        ("a*b*c", "aXbYc", True), ("a*b*c", "aXc", False), ("*", "", True),
    ],
)  # fmt: skip
def test_masks(mask, name, wanted):
    assert matches(mask, name) is wanted


def test_exact_name_then_longest_mask_each_from_its_moment():
    rows = [group("*"), group("real\\*"), group("real\\ecn*"), group("real\\ecn-1", since=50)]
    assert [match_group(rows, "real\\ecn-1", t) for t in (0, 49, 50)] == [2, 2, 3]
    assert match_group(rows, "REAL\\std", 0) == 1
    assert match_group([group("vip"), group("*vip*")], "VIP", 0) == 0
    assert match_group(rows, "demo", 0) == 0
    assert match_group(rows[1:], "demo", 0) == -1
    versions = [group("real*", 10), group("real*", 20)]
    assert [match_group(versions, "real", t) for t in (9, 10, 19, 20, 99)] == [-1, 0, 0, 1, 1]


MASKS = st.text("ab*\\", min_size=1, max_size=4)


@given(
    st.dictionaries(st.tuples(MASKS, st.integers(0, 5)), st.none(), max_size=8),
    st.lists(st.text(string.ascii_letters[:2] + "\\", max_size=4), max_size=6),
)
def test_group_columns_equal_the_scalar_match(keys, names):
    rows = [group(mask, since, id_) for id_, (mask, since) in enumerate(keys)]
    segments = Segments(*group_history(rows, names))
    for moment in range(7):
        wanted = [match_group(rows, name, moment) for name in names]
        subjects = np.arange(len(names), dtype=np.int64)
        assert segments.at(subjects, np.full(len(names), moment)).tolist() == wanted
