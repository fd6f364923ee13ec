"""What a plan's new version leaves as it is need not be looked up among what is booked.

A request that a plan made is about every trade of a server, and most of them keep their amounts.
Rating twice, by the plans without that version and with it, costs a fraction of comparing with the
books. Everything else that changes (relations, terms, rates) makes requests of its own, which look
at the books. Spared are only trades that nothing builds up from: windows have causes of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
import polars as pl

from pipshare import rating, trades
from pipshare.market import Server
from pipshare.period import FOREVER_MS, flatten
from pipshare.pipeline.enrich import WINDOW_COLUMNS, asked
from pipshare.pipeline.place import place
from pipshare.pipeline.run import Run
from pipshare.pipeline.whose import asks_openings, attributed
from pipshare.plans.book import Book
from pipshare.rating.guard import has_guards
from pipshare.rating.parts import building_ids, is_plain
from pipshare.rating.rated import Rated
from pipshare.rating.windows.narrow import all_parts

# Per lot nobody looks at prices and money; reasons and kinds of closing exclude trades.
_PLAIN = ("ticket", "login", "symbol", "kind", "reason", "lots_e8", "open_ms", "close_ms",
          "rate_profit_e8", "opening", "server_id", "revision", "state", "close_utc")  # fmt: skip
_CAUSE = re.compile(r"plan (\S+) version (\d+)")
_COMPARED = ("trade_row", "component_id", "level", "partner_id", "reason", "orig_e8", "currency",
             "amount_e8", "wallet", "fx_id", "held")  # fmt: skip
_without: WeakKeyDictionary[Book, dict[tuple[str, int], Book]] = WeakKeyDictionary()


def plan_cause(code: str, number: int) -> str:
    """Return the cause of a request that a version of a plan makes."""
    return f"plan {code} version {number}"


def may_spare(run: Run, cause: str) -> bool:
    """Tell whether `changed` can tell apart what a request's trades come to."""
    before = _before(run.book, cause)
    if before is None or building_ids(run.book) or building_ids(before):
        return False
    if asks_openings(run.book) or asks_openings(before):  # by each the chains are others
        return False
    wanted = asked(run.book)
    return wanted == asked(before) and not wanted.lives


def columns_of(run: Run, cause: str) -> tuple[str, ...]:
    """Return what has to be read of trades for `changed`: little where all plans are per lot."""
    before = _before(run.book, cause)
    books = [run.book] if before is None else [run.book, before]
    plain = all(is_plain(part) for book in books for part in all_parts(book))
    if plain and not any(has_guards(book) for book in books):
        return _PLAIN
    return WINDOW_COLUMNS


def changed(run: Run, server: Server, settled: pl.DataFrame, cause: str) -> pl.DataFrame:
    """Return the trades of a frame that the version in `cause` rates otherwise."""
    before = _before(run.book, cause)
    assert before is not None
    if server.go_live_ms is None or not len(settled):
        return settled.clear()
    who = attributed(run, server, settled)
    live = settled["close_utc"].to_numpy() >= server.go_live_ms
    who = replace(who, standing=np.where(live, who.standing, 0).astype(np.int8))
    made = place(run, server, settled, who)
    rate: Callable[[Book], Rated] = lambda book: rating.rate_trades(  # noqa: E731
        made.trades, made.symbols, made.groups, made.chains, book=book,
        payees=rating.payees_of(run.partners), fx=run.fx, clock=run.day_clock(server),
    )  # fmt: skip
    rows = _differing(rate(before), rate(run.book))
    if set(settled.columns) >= set(WINDOW_COLUMNS):
        return settled[rows]
    tickets = settled["ticket"].to_numpy()[rows]
    return trades.read(run.conn, server.id, tickets=tickets, columns=WINDOW_COLUMNS)


def _before(book: Book, cause: str) -> Book | None:
    """Return the book without a version of a programme and what came after it."""
    found = _CAUSE.fullmatch(cause)
    if found is None:
        return None
    code, number = found[1], int(found[2])
    known = _without.setdefault(book, {})
    if (code, number) not in known:
        kept = [
            one for one in book.versions
            if one.programme.code != code or one.number < number
        ]  # fmt: skip
        who = np.array([one.programme_id for one in kept], np.int64)
        starts = np.array([one.valid_from_ms for one in kept], np.int64)
        order = np.arange(len(kept), dtype=np.int64)
        segments = flatten(who, starts, np.full_like(starts, FOREVER_MS), order, order)
        known[code, number] = Book(kept, book.terms, segments, book.terms_segments)
    return known[code, number]


def _differing(one: Rated, other: Rated) -> np.ndarray:
    """Return the rows of the trades whose lines or waits are not the same in both."""
    rows = [_differing_lines(one, other)]
    if len(one.waits) or len(other.waits):
        both = pl.concat([one.waits.unique(), other.waits.unique()])
        rows.append(both.filter(~both.is_duplicated())["trade_row"].to_numpy())
    return np.unique(np.concatenate(rows))


def _differing_lines(one: Rated, other: Rated) -> np.ndarray:
    if one.currencies == other.currencies and len(one.lines) == len(other.lines):
        pairs = [(getattr(one.lines, name), getattr(other.lines, name)) for name in _COMPARED]
        if all(np.array_equal(*pair) for pair in pairs[:4]):
            wrong = np.zeros(len(one.lines), np.bool_)
            for mine, his in pairs[4:]:
                wrong |= mine != his
            return np.asarray(one.lines.trade_row[wrong])
    both = pl.concat([_frame(one), _frame(other)])
    return both.filter(~both.is_duplicated())["trade_row"].to_numpy()


def _frame(rated: Rated) -> pl.DataFrame:
    names = pl.Series(rated.currencies, dtype=pl.String)
    columns = {name: getattr(rated.lines, name) for name in _COMPARED}
    frame = pl.DataFrame(columns)
    return frame.with_columns(
        currency=names[rated.lines.currency], wallet=names[rated.lines.wallet]
    )
