"""Bulk loading: columns become binary COPY rows without a Python object per value.

Rows of one shape (the same size in every field) are one numpy record array, written column by
column. Where sizes differ, rows are grouped by shape, each group is written so, and the rows'
bytes are put back in order. Columns whose combination has too many shapes are cut into pieces
with fewer. Memory stays bounded: rows are built in slices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import sql

from pipshare.db.columns import Column, Rows
from pipshare.db.libpq import send
from pipshare.errors import BadInput

SLICE = 8_192  # rows: a slice of 20 bigints is 2 MB and stays in the cache
_SHAPES = 256  # per piece and slice; more and a group is too small to pay for its set-up
_FEW_ROWS = 500
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
Sizes = npt.NDArray[np.int64]


class Piece(NamedTuple):
    """Columns `first` to before `last`; each row's shape as a number below `shapes`."""

    first: int
    last: int
    code: Sizes
    shapes: int


def copy_in(conn: psycopg.Connection[Any], table: str, columns: Mapping[str, Column]) -> int:
    """Append the rows to `table`, in order; return their number.

    `columns` maps SQL column names to columns of equal length; the kinds must be the table's
    types exactly. Raises BadInput when lengths differ; database errors pass through.
    """
    rows = _count(table, columns)
    if not rows:
        return 0
    statement = _statement(table, tuple(columns))
    parts = build(list(columns.values()), rows)
    if rows <= SLICE:
        send(conn, statement, b"".join(parts))
        return rows
    with conn.cursor() as cursor, cursor.copy(statement) as copy:
        for part in ahead(parts):
            copy.write(part)
    return rows


@lru_cache(maxsize=256)
def _statement(table: str, columns: tuple[str, ...]) -> bytes:
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    return statement.as_bytes()


def ahead(parts: Iterator[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Yield the same, the next part being made while the database takes the last one in."""
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = maker.submit(next, parts, None)
            yield part


def build(columns: Sequence[Column], rows: int) -> Iterator[bytes | memoryview]:
    """Yield the COPY stream of the first `rows` rows. A part stays valid while the next is made."""
    yield _SIGNATURE
    scratch: list[dict[Any, npt.NDArray[Any]]] = [{}, {}]  # by turns: one may still be read
    for start in range(0, rows, SLICE):
        yield _slice(columns, start, min(SLICE, rows - start), scratch[start // SLICE % 2])
    yield _END


def _count(table: str, columns: Mapping[str, Column]) -> int:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise BadInput("ragged", f"columns for {table} differ in length: {lengths}")
    return next(iter(lengths.values()), 0)


def _slice(
    columns: Sequence[Column], start: int, n: int, scratch: dict[Any, npt.NDArray[Any]]
) -> bytes | memoryview:
    """Build `n` rows from `start`."""
    sizes = [column.sizes(start, start + n) for column in columns]
    if all(size is None for size in sizes):
        key = (n, len(columns))
        if key not in scratch:
            scratch[key] = np.empty(n, _dtype(columns, [0] * len(columns), True))
        return _fill(scratch[key], columns, [0] * len(columns), Rows(start, n, None), len(columns))
    pieces = [_piece(columns, sizes, piece, start) for piece in _split(sizes, n)]
    if len(pieces) == 1:
        return b"".join(pieces[0])
    return b"".join(chain.from_iterable(zip(*pieces, strict=True)))


def _split(sizes: Sequence[Sizes | None], n: int) -> list[Piece]:
    """Cut the columns, in order, into pieces of few shapes each.

    Of few rows each shape is a row or two: only what varies is told apart by shape then.
    """
    if n <= _FEW_ROWS:
        return _apart(sizes, n)
    pieces: list[Piece] = []
    first, code, count = 0, np.zeros(n, np.int64), 1
    for index, size in enumerate(sizes):
        if size is None:
            continue
        own, own_count = _number(size - size.min())
        joint, joint_count = _number(code * own_count + own)
        if count > 1 and joint_count > max(_SHAPES, count):
            pieces.append(Piece(first, index, code, count))
            first, code, count = index, own, own_count
        else:
            code, count = joint, joint_count
    pieces.append(Piece(first, len(sizes), code, count))
    return pieces


def _apart(sizes: Sequence[Sizes | None], n: int) -> list[Piece]:
    """Cut out each column whose fields differ in size; what is between has one shape."""
    pieces: list[Piece] = []
    first, alike = 0, np.zeros(n, np.int64)
    for index, size in enumerate(sizes):
        if size is None or not (size != size[0]).any():
            continue
        if index > first:
            pieces.append(Piece(first, index, alike, 1))
        pieces.append(Piece(index, index + 1, *_number(size - size.min())))
        first = index + 1
    if first < len(sizes):
        pieces.append(Piece(first, len(sizes), alike, 1))
    return pieces


def _number(values: Sizes) -> tuple[Sizes, int]:
    """Number the distinct values from 0; return the numbers and how many there are."""
    if int(values.max(initial=0)) > 8 * SLICE:
        distinct, numbers = np.unique(values, return_inverse=True)
        return numbers, len(distinct)
    present = np.bincount(values) > 0
    return (np.cumsum(present) - 1)[values], int(present.sum())


def _piece(
    columns: Sequence[Column], sizes: Sequence[Sizes | None], piece: Piece, start: int
) -> list[bytes]:
    """Return the bytes of each row for the columns of one piece."""
    total = len(columns)
    columns, sizes = columns[piece.first : piece.last], sizes[piece.first : piece.last]
    small = piece.code.astype(np.uint16) if piece.shapes < 2**16 else piece.code  # radix sort
    order = np.argsort(small, kind="stable")
    bounds = np.cumsum(np.bincount(piece.code, minlength=piece.shapes))
    out = np.empty(len(order), object)
    for rows in np.split(order, bounds[:-1]):
        shape = [0 if size is None else int(size[rows[0]]) for size in sizes]
        records = np.empty(len(rows), _dtype(columns, shape, piece.first == 0))
        index = None if piece.shapes == 1 else rows
        _fill(records, columns, shape, Rows(start, len(rows), index), total)
        out[rows] = _cut(records)
    return out.tolist()


def _dtype(columns: Sequence[Column], shape: Sequence[int], head: bool) -> np.dtype[Any]:
    fields: list[Any] = [("fields", ">i2")] if head else []
    for index, (column, size) in enumerate(zip(columns, shape, strict=True)):
        fields.append((f"c{index}", np.dtype(column.layout(size))))
    return np.dtype(fields)


def _fill(
    records: npt.NDArray[Any],
    columns: Sequence[Column],
    shape: Sequence[int],
    rows: Rows,
    total: int,
) -> memoryview:
    """Write `rows` of `columns` into `records`; `total` is the number of fields of whole rows."""
    if "fields" in (records.dtype.names or ()):
        records["fields"] = total
    for index, (column, size) in enumerate(zip(columns, shape, strict=True)):
        column.fill(records[f"c{index}"], size, rows)
    return memoryview(records.view(np.uint8).data)


def _cut(records: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    """Cut records into one bytes object per row."""
    width = records.dtype.itemsize
    whole = records.tobytes()
    out = np.empty(len(records), object)
    out[:] = [whole[at : at + width] for at in range(0, len(whole), width)]
    return out
