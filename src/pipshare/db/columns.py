"""The kinds of column that copy_in takes, and how each lays out a field of binary COPY.

A field is an int32 length (-1 for NULL) and that many bytes, big-endian. A column answers three
questions about a slice of rows: how long the field of each row is (`sizes`, None when all are the
same), how a field of a given size is laid out (`layout`), and it fills such fields (`fill`).
Layouts are numpy dtypes, so rows are written by columns. Source of the formats: PostgreSQL's
manual, COPY, "Binary Format", and the *send functions (array_send, timestamptz_send, date_send).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.errors import BadInput
from pipshare.period import FOREVER_MS

Ints = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]
Sizes = npt.NDArray[np.int64]
_EPOCH_US = 946_684_800_000_000  # 2000-01-01 in microseconds after 1970
_EPOCH_DAYS = 10_957
_NULL = -1
_FEW = 500  # texts: fewer are encoded one by one sooner than by four calls of Polars


def _integers(values: object, wire: str, what: str) -> Ints:
    """Return `values` as integers that fit the type on the wire. Floats never pass."""
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        if array.size:
            raise BadInput("not_integer", f"{what} takes integers, not {array.dtype}")
        array = array.astype(np.int64)
    if array.ndim != 1:
        raise BadInput("not_a_column", f"{what} takes one-dimensional arrays")
    target = np.iinfo(wire)
    if array.size and not np.can_cast(array.dtype, np.dtype(wire)):
        low, high = int(array.min()), int(array.max())
        if low < target.min or high > target.max:
            raise BadInput(
                "out_of_range", f"{what} cannot hold {low if low < target.min else high}"
            )
    return array


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows: n from `start`, or those at start + index; with a cache for one group of rows."""

    start: int
    n: int
    index: Sizes | None
    gather: dict[Any, Sizes] = field(default_factory=dict)

    def of(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the values of these rows."""
        if self.index is None:
            return values[self.start : self.start + self.n]
        return values[self.start + self.index]

    def spans(self, offsets: Sizes, key: object, size: int) -> Sizes:
        """Return indices (n, size): `size` from each row's offset. Columns with one key share."""
        found = self.gather.get((key, size))
        if found is None:
            at = self.of(offsets)
            found = self.gather[key, size] = at[:, None] + np.arange(size)
        return found


class Column:
    """One column of rows for copy_in; see the kinds below."""

    def __len__(self) -> int:
        raise NotImplementedError

    def sizes(self, start: int, stop: int) -> Sizes | None:
        """Bytes of each row's field in the slice, -1 for NULL; None when all are `layout(0)`."""
        raise NotImplementedError

    def layout(self, size: int) -> list[tuple[str, Any]]:
        """Fields of a numpy dtype for a field of `size` bytes, its length word included."""
        raise NotImplementedError

    def fill(self, out: Any, size: int, rows: Rows) -> None:
        """Write the fields of `rows`, all of one size, into `out`, a record array of `layout`."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class _Fixed(Column):
    values: Any
    valid: Bools | None = None
    wire: ClassVar[str] = "i8"

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", self.prepare())
        if self.valid is not None and len(self.valid) != len(self.values):
            raise BadInput("ragged", f"{type(self).__name__}: valid and values differ in length")

    def prepare(self) -> npt.NDArray[Any]:
        return _integers(self.values, self.wire, type(self).__name__)

    def __len__(self) -> int:
        return len(self.values)

    def sizes(self, start: int, stop: int) -> Sizes | None:
        if self.valid is None:
            return None
        part = np.asarray(self.valid[start:stop])
        return None if part.all() else np.where(part, 0, _NULL).astype(np.int64)

    def layout(self, size: int) -> list[tuple[str, Any]]:
        return [("n", ">i4")] if size == _NULL else [("n", ">i4"), ("v", f">{self.wire}")]

    def fill(self, out: Any, size: int, rows: Rows) -> None:
        out["n"][...] = _NULL if size == _NULL else np.dtype(self.wire).itemsize
        if size != _NULL:
            out["v"][...] = self.encode(rows.of(self.values))

    def encode(self, part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return part


class Int2(_Fixed):
    """smallint from an integer array; `valid` false means NULL."""

    wire = "i2"


class Int4(_Fixed):
    """integer from an integer array; `valid` false means NULL."""

    wire = "i4"


class Int8(_Fixed):
    """bigint from an integer array; `valid` false means NULL."""

    wire = "i8"


class Date(_Fixed):
    """date from days since 1970-01-01; `valid` false means NULL."""

    wire = "i4"

    def encode(self, part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return part - _EPOCH_DAYS


class Bool(_Fixed):
    """boolean from a bool array; `valid` false means NULL."""

    wire = "i1"

    def prepare(self) -> npt.NDArray[Any]:
        array = np.asarray(self.values)
        if array.dtype != np.bool_ and array.size:
            raise BadInput("not_bool", f"Bool takes booleans, not {array.dtype}")
        return array.astype(np.bool_)


@dataclass(frozen=True, eq=False)
class Timestamp(_Fixed):
    """timestamptz from int64 UTC milliseconds; `valid` false means NULL.

    With `unbounded`, 0 becomes '-infinity' and FOREVER_MS 'infinity', as spans are kept in memory.
    """

    unbounded: bool = False

    def encode(self, part: npt.NDArray[Any]) -> npt.NDArray[Any]:
        micros = part.astype(np.int64) * 1000 - _EPOCH_US
        if self.unbounded:
            micros[part == 0] = np.iinfo(np.int64).min
            micros[part == FOREVER_MS] = np.iinfo(np.int64).max
        return micros


class _Varying(Column):
    """Bytes of different lengths: `payload` holds them all, `offsets` where each begins."""

    payload: npt.NDArray[np.uint8]
    offsets: Sizes  # one more than rows
    null: Bools | None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def sizes(self, start: int, stop: int) -> Sizes | None:
        sizes = np.diff(self.offsets[start : stop + 1])
        if self.null is not None:
            sizes = np.where(self.null[start:stop], _NULL, sizes)
        return sizes

    def layout(self, size: int) -> list[tuple[str, Any]]:
        return [("n", ">i4")] + ([("v", "u1", (size,))] if size > 0 else [])  # type: ignore[list-item]

    def fill(self, out: Any, size: int, rows: Rows) -> None:
        out["n"][...] = size
        if size > 0:
            out["v"][...] = self.payload[rows.spans(self.offsets, id(self), size)]


class Text(_Varying):
    """text from a polars String series; null means NULL."""

    def __init__(self, values: pl.Series) -> None:
        series = pl.Series(values, dtype=pl.String) if not isinstance(values, pl.Series) else values
        if series.dtype != pl.String:
            series = series.cast(pl.String)
        if len(series) <= _FEW:
            parts = [(text or "").encode() for text in series.to_list()]
            lengths = np.array([len(part) for part in parts], np.int64)
            whole = b"".join(parts)
        else:
            lengths = series.str.len_bytes().fill_null(0).to_numpy().astype(np.int64)
            whole = (series.str.join("").item() or "").encode()
        if b"\0" in whole:
            raise BadInput("nul_in_text", "text holds a NUL character, which PostgreSQL cannot")
        self.payload = np.frombuffer(whole, np.uint8)
        self.offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self.null = series.is_null().to_numpy() if series.null_count() else None


class Bytes(_Varying):
    """bytea from a list of bytes; None means NULL."""

    def __init__(self, values: list[bytes | None]) -> None:
        parts = [value or b"" for value in values]
        self.payload = np.frombuffer(b"".join(parts), np.uint8)
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
        self.offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        null = np.fromiter((value is None for value in values), np.bool_, len(parts))
        self.null = null if null.any() else None


@dataclass(frozen=True, eq=False)
class _Array(Column):
    values: Any  # all elements, flat, row after row
    lengths: Any  # elements per row, 0 for an empty array
    valid: Bools | None = None  # false means NULL, with a length of 0
    offsets: Sizes = field(init=False)
    wire: ClassVar[str] = "i8"
    oid: ClassVar[int] = 20

    def __post_init__(self) -> None:
        name = type(self).__name__
        object.__setattr__(self, "values", _integers(self.values, self.wire, name))
        lengths = _integers(self.lengths, "i8", f"{name}.lengths")
        object.__setattr__(self, "lengths", lengths)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        object.__setattr__(self, "offsets", offsets)
        if len(self.values) != offsets[-1] or (lengths.size and int(lengths.min()) < 0):
            raise BadInput("ragged", f"{name}: lengths do not add up to the number of values")

    def __len__(self) -> int:
        return len(self.lengths)

    def sizes(self, start: int, stop: int) -> Sizes | None:
        sizes = np.asarray(self.lengths[start:stop], np.int64)
        return sizes if self.valid is None else np.where(self.valid[start:stop], sizes, _NULL)

    def layout(self, size: int) -> list[tuple[str, Any]]:
        if size == _NULL:
            return [("n", ">i4")]
        head: list[tuple[str, Any]] = [("n", ">i4"), ("head", ">i4", (5 if size else 3,))]  # type: ignore[list-item]
        if size:
            element = np.dtype([("n", ">i4"), ("v", f">{self.wire}")])
            head.append(("e", element, (size,)))  # type: ignore[arg-type]
        return head

    def fill(self, out: Any, size: int, rows: Rows) -> None:
        width = np.dtype(self.wire).itemsize
        if size == _NULL:
            out["n"][...] = _NULL
            return
        out["n"][...] = 20 + size * (4 + width) if size else 12
        out["head"][...] = [1, 0, self.oid, size, 1] if size else [0, 0, self.oid]
        if size:
            out["e"]["n"][...] = width
            out["e"]["v"][...] = self.values[rows.spans(self.offsets, id(self.lengths), size)]


class Int2Array(_Array):
    """smallint[] from a flat integer array and the number of elements per row."""

    wire, oid = "i2", 21


class Int4Array(_Array):
    """integer[] from a flat integer array and the number of elements per row."""

    wire, oid = "i4", 23


class Int8Array(_Array):
    """bigint[] from a flat integer array and the number of elements per row."""

    wire, oid = "i8", 20
