"""The trades file as settled trades: times by their server's clock, owners, reasons by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from pipshare.facts import Kind, Opening, Side, State
from pipshare.facts.cells import typed
from pipshare.market import Server
from pipshare.partners.wording import hint
from pipshare.period import Clock, Millis, server_text_to_ms
from pipshare.pipeline.from_files.places import Refuser
from pipshare.plans.conditions import REASONS

SIDES = {"buy": Side.BUY, "long": Side.BUY, "sell": Side.SELL, "short": Side.SELL}
_ZONED = r"([zZ]|[+-]\d\d:?\d\d)$"
_DATE = r"^\d{4}[-./]\d\d[-./]\d\d$"
_UNNAMED = 2**61  # tickets that are words are numbered from here on, in the order of the file
UTC = Clock("UTC", 0)


def server_times(
    text: pl.Series, server: pl.Series, known: Mapping[str, Server]
) -> tuple[Millis, Millis]:
    """Return times as (server milliseconds, UTC milliseconds); -1 where the text is no time.

    A time with a zone is turned to the server's clock, a date alone is its first moment.
    """
    text = text.fill_null("").str.strip_chars()
    whole = text.str.replace(_DATE, "$0 00:00:00")
    frame = whole.to_frame("text")
    wall = frame.select(server_text_to_ms(pl.col("text")))["text"].fill_null(-1).to_numpy().copy()
    utc = np.full(len(text), -1, np.int64)
    zoned = text.str.contains(_ZONED).to_numpy() & ~text.str.contains(_DATE).to_numpy()
    moments = typed(text.str.replace_all(r"[./]", "-"), "moment", UTC).fill_null(-1).to_numpy()
    for name in server.unique().to_list():
        mine = (server == name).to_numpy()
        local = np.flatnonzero(mine & ~zoned & (wall >= 0))
        utc[local] = known[name].to_utc(wall[local])
        told = np.flatnonzero(mine & zoned)
        utc[told] = moments[told]
        wall[told] = _walls(known[name], moments[told])
    return wall, utc


def _walls(server: Server, utc: Millis) -> Millis:
    wall = server.clocks[0][1].from_utc(np.maximum(utc, 0))
    for since, clock in server.clocks[1:]:
        wall = np.where(utc >= since, clock.from_utc(np.maximum(utc, 0)), wall)
    return np.where(utc < 0, -1, wall)


def only_server(known: Mapping[str, Server]) -> str:
    """Return the server of rows that name none: the only one, "" where there are several."""
    return next(iter(known)) if len(known) == 1 else ""


def take_trades(frame: pl.DataFrame, known: Mapping[str, Server], refuse: Refuser) -> pl.DataFrame:
    """Check a typed sheet of trades and work out what its texts mean.

    Adds `number` (the ticket as a number), `name` (the ticket as written), `open_ms`, `open_utc`,
    `close_ms`, `close_utc` and `reason_number`; `server` is filled in, `login` may still be null.
    """
    only = only_server(known)
    frame = frame.with_columns(pl.col("server").fill_null(only).replace("", only))
    frame = _split(frame, pl.col("server") == "", refuse, "no_server",
                   lambda row: f"tell the server: the tree has {', '.join(known)}")  # fmt: skip
    frame = _split(frame, ~pl.col("server").is_in(list(known)), refuse, "unknown_server",
                   lambda row: f"field server: {row['server']!r} is not known"
                   f"{hint(row['server'], known)}: add it to the table servers")  # fmt: skip
    frame = _split(frame, pl.col("lots") <= 0, refuse, "bad_lots",
                   lambda row: "field lots: has to be more than 0")  # fmt: skip
    frame = _with_times(frame, known, refuse)
    frame = _with_reasons(frame, refuse)
    frame = _with_names(frame)
    twice = pl.struct("server", "name").is_first_distinct().not_()
    frame = _split(frame, twice, refuse, "said_twice",
                   lambda row: f"field ticket: {row['name']} stands in the file twice")  # fmt: skip
    quotes = [pl.col("open_bid"), pl.col("open_ask"), pl.col("close_bid"), pl.col("close_ask")]
    return _split(frame, pl.any_horizontal(one < 0 for one in quotes), refuse, "bad_quote",
                  lambda row: "bid and ask cannot be below 0")  # fmt: skip


def _with_times(frame: pl.DataFrame, known: Mapping[str, Server], refuse: Refuser) -> pl.DataFrame:
    opened, opened_utc = server_times(frame["open_time"], frame["server"], known)
    closed, closed_utc = server_times(frame["close_time"], frame["server"], known)
    frame = frame.with_columns(
        open_ms=pl.Series(opened, dtype=pl.Int64), open_utc=pl.Series(opened_utc, dtype=pl.Int64),
        close_ms=pl.Series(closed, dtype=pl.Int64), close_utc=pl.Series(closed_utc, dtype=pl.Int64),
    )  # fmt: skip
    how = "is not a time such as 2026-11-02 10:00:00 (server clock) or 2026-11-02T10:00:00Z"
    frame = _split(frame, pl.col("close_utc") < 0, refuse, "bad_time",
                   lambda row: f"field close_time: {row['close_time']!r} {how}")  # fmt: skip
    unread = (pl.col("open_utc") < 0) & (pl.col("open_time").fill_null("") != "")
    frame = _split(frame, unread, refuse, "bad_time",
                   lambda row: f"field open_time: {row['open_time']!r} {how}")  # fmt: skip
    late = (pl.col("open_utc") >= 0) & (pl.col("open_utc") > pl.col("close_utc"))
    return _split(frame, late, refuse, "closed_before_opened",
                  lambda row: "it was closed before it was opened")  # fmt: skip


def _with_reasons(frame: pl.DataFrame, refuse: Refuser) -> pl.DataFrame:
    text = pl.col("reason").fill_null("").str.to_lowercase().str.replace_all(r"[ -]", "_")
    numbers = {"": -1} | REASONS | {str(number): number for number in REASONS.values()}
    numbers |= {"-1": -1, "tp": 4, "sl": 3, "so": 5}
    frame = frame.with_columns(
        reason_number=text.replace_strict(numbers, default=None, return_dtype=pl.Int16)
    )
    return _split(frame, pl.col("reason_number").is_null(), refuse, "unknown_reason",
                  lambda row: f"field reason: {row['reason']!r} is no deal reason; those are: "
                  + ", ".join(REASONS))  # fmt: skip


def _with_names(frame: pl.DataFrame) -> pl.DataFrame:
    named = pl.col("ticket").fill_null("")
    frame = frame.with_row_index("place", offset=1).with_columns(
        name=pl.when(named == "").then(pl.col("place").cast(pl.String)).otherwise(named)
    )
    number = (
        pl.when(pl.col("name").str.contains(r"^\d{1,18}$"))
        .then("name")
        .cast(pl.Int64, strict=False)
    )
    return frame.with_columns(
        number=pl.coalesce(number, pl.lit(_UNNAMED, pl.Int64) + pl.col("place"))
    )


def _split(
    frame: pl.DataFrame, wrong: pl.Expr, refuse: Refuser, code: str, why: Any
) -> pl.DataFrame:
    flags = frame.select(wrong.fill_null(False).alias("bad"))["bad"]
    if not flags.any():
        return frame
    for row in frame.filter(flags).iter_rows(named=True):
        refuse(row, code, why(row))
    return frame.filter(~flags)


def settled(
    rows: pl.DataFrame, schema: Mapping[str, Any], server: Server, *, guess: bool = False
) -> pl.DataFrame:
    """Return one server's trades in the columns that the trades stage gives to the next ones.

    `guess`: openings do not matter, so that one that is not told is taken to be the closing.
    """
    if guess:
        rows = rows.with_columns(open_ms="close_ms", open_utc="close_utc")
    known = pl.col("open_utc") >= 0
    kinds = {kind.name.lower(): int(kind) for kind in Kind}
    told: dict[str, pl.Expr] = {
        "ticket": pl.col("number"),
        "login": pl.col("login"),
        "position": pl.col("position").fill_null(0),
        "symbol": pl.col("symbol"),
        "side": pl.col("side").replace_strict({k: int(v) for k, v in SIDES.items()},
                                              return_dtype=pl.Int8),
        "kind": pl.col("kind").replace_strict(kinds, return_dtype=pl.Int8),
        "reason": pl.col("reason_number"),
        "lots_e8": pl.col("lots"),
        "open_ms": pl.when(known).then("open_ms").otherwise(0),
        "open_utc": pl.when(known).then("open_utc").otherwise(0),
        "opening": pl.when(known).then(int(Opening.KNOWN)).otherwise(int(Opening.UNKNOWN)),
        "contract_e8": pl.col("contract_size"),
        "server_id": pl.lit(server.id),
        "revision": pl.lit(1),
        "state": pl.when("cancelled").then(int(State.CANCELLED)).otherwise(int(State.CLOSED)),
    }  # fmt: skip
    for name in set(schema) - set(told):
        there = [one for one in (name.removesuffix("_e8"), name) if one in rows.columns]
        told[name] = pl.col(there[0]) if there else pl.lit(0)
    told["negative"] = pl.col("negative").cast(pl.Int64)
    wanted = [*schema, *(name for name in ("open_utc", "negative") if name not in schema)]
    return rows.select(
        told[name].fill_null(0).cast(schema.get(name, pl.Int64)).alias(name) for name in wanted
    )
