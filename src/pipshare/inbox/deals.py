"""Store MT5 deals: what is known changes nothing, what differs becomes a revision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.errors import Unavailable
from pipshare.facts import DEAL, Refusal, Verdict, deal_content
from pipshare.facts.content import DEAL_COUNTED, UNKNOWN_MS, judge, other_reason
from pipshare.inbox.cash import LOCK
from pipshare.inbox.known import Stored, as_of, beside, remember, sources, whole

Column = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_TRADING = (0, 1, 13, 14)  # EnDealAction: buy, sell and their cancellations
_INT2 = ("action", "entry", "reason")
_INT8 = tuple(name for name in DEAL if name not in (*_INT2, "symbol", "line"))
_SHOWN = 5  # fields named in the sentence about a conflict


@dataclass(frozen=True)
class DealIntake:
    """What came of a frame of deals.

    `positions` are those whose trades have to be assembled anew: columns login, position and
    undone (a deal that was a closing and is none any more, else 0). `conflicts` are the rows that
    were not taken.
    """

    new: int
    revised: int
    repeated: int
    older: int
    conflicts: list[Refusal]
    positions: pl.DataFrame


def store_deals(
    conn: psycopg.Connection[Any],
    server_id: int,
    deals: pl.DataFrame,
    batch_id: int,
    as_of_ms: int | None,
) -> DealIntake:
    """Store what is new of a DEAL frame in the caller's transaction.

    Identity is (server, deal). Another content than stored is a revision when `as_of_ms` (UTC
    milliseconds of the report; None = untold) is later than that of the stored, nothing when it
    is earlier, else a conflict. Raises Unavailable when another process keeps the server locked.
    """
    _lock(conn, server_id)
    rows, refused, repeated = _cleaned(deals)
    content = deal_content(rows)
    stored = beside(conn, server_id, rows["deal"].to_numpy())
    same = stored.found & (content == stored["content"])
    same &= ~other_reason(rows["reason"].to_numpy(), stored["reason"])
    verdict = judge(
        stored.found, same, _moments(conn, server_id, rows, stored, same, as_of_ms), as_of_ms
    )
    if as_of_ms is not None:
        _confirm(conn, server_id, rows, stored, same, batch_id, as_of_ms)
    taken = (verdict == Verdict.NEW) | (verdict == Verdict.REVISION)
    _write(conn, server_id, rows, stored, content, taken, batch_id)
    fought = verdict == Verdict.CONFLICT
    if fought.any():
        refused += _conflicts(conn, server_id, rows, stored, fought, batch_id)
    return DealIntake(
        new=int((verdict == Verdict.NEW).sum()),
        revised=int((verdict == Verdict.REVISION).sum()),
        repeated=int(same.sum()) + repeated,
        older=int((verdict == Verdict.OLDER).sum()),
        conflicts=refused,
        positions=_positions(rows, stored, taken),
    )


def _lock(conn: psycopg.Connection[Any], server_id: int) -> None:
    try:
        conn.execute("SELECT pg_advisory_xact_lock(%s, %s)", (LOCK, server_id))
    except psycopg.errors.LockNotAvailable as error:
        raise Unavailable(
            "server_busy",
            f"another process is storing deals of server {server_id}; try again when it is done",
        ) from error


def _cleaned(deals: pl.DataFrame) -> tuple[pl.DataFrame, list[Refusal], int]:
    """Order by deal; refuse deals that come more than once and contradict themselves."""
    rows = deals.select(list(DEAL))
    if not rows["deal"].is_sorted():
        rows = rows.sort("deal", maintain_order=True)
    number = rows["deal"].to_numpy()
    again = np.zeros(len(rows), np.bool_)
    again[1:] = number[1:] == number[:-1]
    if not again.any():
        return rows, [], 0
    content = deal_content(rows)
    torn = number[1:][again[1:] & (content[1:] != content[:-1])]
    fought = np.isin(number, torn)
    told = rows.filter(pl.Series(fought)).select("deal", "line").iter_rows()
    refused = [
        Refusal(line, "contradiction", f"deal {deal}: comes more than once, with different content")
        for deal, line in told
    ]
    return rows.filter(pl.Series(~again & ~fought)), refused, int((again & ~fought).sum())


def _moments(
    conn: psycopg.Connection[Any], server_id: int, rows: pl.DataFrame, stored: Stored, same: Mask,
    as_of_ms: int | None,
) -> Column:  # fmt: skip
    """Up to when each stored deal is known to hold, where that is needed."""
    odd = stored.found & ~same
    moments = np.full(len(rows), UNKNOWN_MS, np.int64)
    deals = rows["deal"].to_numpy()[odd]
    moments[odd] = as_of(conn, server_id, deals, stored["batch_id"][odd], beside_ms=as_of_ms)
    return moments


def _confirm(
    conn: psycopg.Connection[Any],
    server_id: int,
    rows: pl.DataFrame,
    stored: Stored,
    same: Mask,
    batch_id: int,
    as_of_ms: int,
) -> None:
    """Remember repeats that tell of a later moment than all before them."""
    deals = rows["deal"].to_numpy()[same]
    later = as_of(conn, server_id, deals, stored["batch_id"][same], as_of_ms) < as_of_ms
    remember(conn, server_id, batch_id, as_of_ms, deals[later])


def _write(
    conn: psycopg.Connection[Any],
    server_id: int,
    rows: pl.DataFrame,
    stored: Stored,
    content: Column,
    taken: Mask,
    batch_id: int,
) -> None:
    mine = rows.filter(pl.Series(taken))
    same = np.ones(len(mine), np.int64)
    db.copy_in(conn, "inbox_deal", {
        "server_id": db.Int4(same * server_id),
        "revision": db.Int2(np.where(stored.found, stored["revision"], 0)[taken] + 1),
        "symbol": db.Text(mine["symbol"]),
        "content": db.Int8(content[taken]),
        "batch_id": db.Int8(same * batch_id),
        **{name: db.Int2(mine[name].to_numpy()) for name in _INT2},
        **{name: db.Int8(mine[name].to_numpy()) for name in _INT8},
    })  # fmt: skip


def _positions(rows: pl.DataFrame, stored: Stored, taken: Mask) -> pl.DataFrame:
    """Positions that a taken deal belongs to now, and those that it belonged to before."""
    now = rows.filter(pl.Series(taken)).select(
        "login", "position", "action", "entry", undone=pl.lit(0, pl.Int64)
    )
    moved = taken & stored.found
    if moved.any():
        now = pl.concat([now, _before(rows.filter(pl.Series(moved)), stored, moved)])
    trading = now.filter(pl.col("action").is_in(_TRADING))
    return trading.select("login", "position", "undone").unique().sort("login", "position")


def _before(rows: pl.DataFrame, stored: Stored, moved: Mask) -> pl.DataFrame:
    old = pl.DataFrame(
        {name: stored[name][moved] for name in ("login", "position", "action", "entry")},
        schema={name: DEAL[name] for name in ("login", "position", "action", "entry")},
    )
    was, closes = _closes(old), _closes(rows)
    undone = np.where(was & ~closes, rows["deal"].to_numpy(), 0)
    return old.with_columns(undone=pl.Series(undone, dtype=pl.Int64))


def _closes(deals: pl.DataFrame) -> Mask:
    closes: Mask = (deals["action"].is_in(_TRADING) & (deals["entry"] != 0)).to_numpy()
    return closes


def _conflicts(
    conn: psycopg.Connection[Any],
    server_id: int,
    rows: pl.DataFrame,
    stored: Stored,
    fought: Mask,
    batch_id: int,
) -> list[Refusal]:
    ours = rows.filter(pl.Series(fought))
    batches = stored["batch_id"][fought]
    kept = whole(conn, server_id, ours["deal"].to_numpy())
    names = sources(conn, np.append(batches, batch_id))
    fields = ("symbol", "reason", "closed_e8", *DEAL_COUNTED)
    differing = [(name, (ours[name] != kept[name]).to_numpy()) for name in fields]
    return [
        Refusal(
            line,
            "conflict",
            f"deal {deal}: {names[batch_id][1]} and {names[int(batch)][1]} differ in "
            f"{_plain([name for name, mask in differing if mask[row]])}, and nothing "
            "tells which is newer; import the newer file with --as-of TIME, later than the other",
        )
        for row, (deal, line, batch) in enumerate(
            zip(ours["deal"], ours["line"], batches, strict=True)
        )
    ]


def _plain(names: list[str]) -> str:
    """Write columns as people call them: volume, not volume_e8."""
    return ", ".join(name.removesuffix("_e8").removesuffix("_ms") for name in names[:_SHOWN])
