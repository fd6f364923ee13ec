"""Write what a rating posted: one immutable row per trade, its lines as parallel arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db

Column = npt.NDArray[np.int64]
HISTORY = 4  # standing of an entry whose trade closed before go-live; 1 to 3 are attribution's


@dataclass(frozen=True)
class Entries:
    """One row per trade and earned day: parallel columns, before its lines are attached.

    `day` counts from 1970-01-01 in the broker's own day. A trade has two rows in a batch only when
    a correction moved its close to another day.
    """

    ticket: Column
    seq: Column
    revision: Column
    standing: Column
    login: Column
    chain_id: Column
    day: Column


# Columns of the lines that become arrays, and the array type of each.
_ARRAYS = {
    "component": db.Int4Array,
    "level": db.Int2Array,
    "partner": db.Int4Array,
    "account": db.Int4Array,
    "rate": db.Int4Array,
    "reason": db.Int2Array,
    "amount_e8": db.Int8Array,
}


def store(
    conn: psycopg.Connection,
    server_id: int,
    entries: Entries,
    lines: pl.DataFrame,
    transfer: Column,
) -> None:
    """Write the entries with their lines.

    `lines` has a row per line: entry (row of `entries`), component, level, partner, account, rate,
    reason, amount_e8, orig_e8, fx; `transfer` is parallel to it. All lines of an entry have the
    same earned day, hence the same transfer.
    """
    count = len(entries.ticket)
    entry = lines["entry"].to_numpy()
    order = np.argsort(entry, kind="stable")
    lengths = np.bincount(entry, minlength=count).astype(np.int64)
    transfer_of = np.zeros(count, np.int64)
    transfer_of[entry] = transfer
    columns = {name: lines[name].to_numpy()[order] for name in _ARRAYS}
    if not columns["reason"].any():
        del columns["reason"]  # null says the same: all are paid
    told = ~_plain(entries, columns["level"], columns["rate"], entry[order], lengths)
    arrays = _arrays(columns, lengths, told, entry[order])
    db.copy_in(conn, "rating_entry", {
        "server_id": db.Int4(np.full(count, server_id, np.int64)),
        "ticket": db.Int8(entries.ticket),
        "seq": db.Int2(entries.seq),
        "revision": db.Int2(entries.revision),
        "standing": db.Int2(entries.standing),
        "login": db.Int8(entries.login),
        "chain_id": db.Int4(entries.chain_id),
        "day": db.Date(entries.day.astype(np.int32)),
        "transfer_id": db.Int8(transfer_of),
        **arrays,
        **_converted(lines, order, entry[order], count),
    })  # fmt: skip


def _plain(
    entries: Entries, level: Column, rate: Column, entry: Column, lengths: Column
) -> npt.NDArray[np.bool_]:
    """Tell the entries whose components, levels and partners need not be written.

    Those are first ratings whose lines are the levels 1, 2, 3 ... of the chain, each with a rate.
    """
    place = np.arange(len(entry)) - (np.cumsum(lengths) - lengths)[entry] + 1
    other = (level != place) | (rate == 0)
    return (entries.seq == 1) & (np.bincount(entry[other], minlength=len(lengths)) == 0)


def _arrays(
    columns: dict[str, Column], lengths: Column, told: npt.NDArray[np.bool_], entry: Column
) -> dict[str, db.Column]:
    some = told[entry]
    shorter = np.where(told, lengths, 0)
    return {
        name: _ARRAYS[name](values[some], shorter, told)
        if name in ("component", "level", "partner")
        else _ARRAYS[name](values, lengths)
        for name, values in columns.items()
    }


def _converted(
    lines: pl.DataFrame, order: Column, entry: Column, count: int
) -> dict[str, db.Column]:
    """Return orig_e8 and fx; both stay empty for a trade where no line was converted."""
    fx = lines["fx"].to_numpy()
    if not fx.any():
        return {}
    fx, orig_e8 = fx[order], lines["orig_e8"].to_numpy()[order]
    touched = np.zeros(count, np.bool_)
    touched[entry[fx != 0]] = True
    kept = touched[entry]
    lengths = np.bincount(entry[kept], minlength=count).astype(np.int64)
    return {
        "orig_e8": db.Int8Array(orig_e8[kept], lengths),
        "fx": db.Int4Array(fx[kept], lengths),
    }
