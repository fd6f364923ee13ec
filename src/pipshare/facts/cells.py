"""Text cells to typed columns, exactly and a column at a time.

Each type has one function: a Series of stripped text in, a Series of values out, null where the
text is empty or wrong. `reason` then says for one cell what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import polars as pl

from pipshare.errors import BadInput
from pipshare.money import parse_e8, parse_rate
from pipshare.money.amounts import MAX_E8
from pipshare.period import FOREVER_MS, Clock, server_text_to_ms

TEXT_LIMIT = 1000  # characters; longer than any code, name or list of aliases
NUMBER_LIMIT = 100
DAY_MS = 86_400_000
_DATE = r"^\d{4}-\d\d-\d\d$"
_FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
Clocks = Clock | Mapping[str, Clock]


def typed(cells: pl.Series, type_: str, clock: Clock, whose: pl.Series | None = None,
          clocks: Mapping[str, Clock] | None = None) -> pl.Series:  # fmt: skip
    """Return the values of `cells` (stripped String) as fields.Field.type says; null = no value.

    Types: int, e8, server_time, moment -> Int64; flag -> Boolean; others -> String. `clock` is the
    broker's day for a moment given as a date; `whose` and `clocks` choose another one by row.
    """
    if type_.startswith("choice:"):
        lowered = cells.str.to_lowercase()
        return _kept(lowered, lowered.is_in(type_.removeprefix("choice:").split("|")))
    if type_ == "moment":
        return _moment(cells, clock, whose, clocks)
    return _CONVERT[type_](cells)


def _kept(cells: pl.Series, good: pl.Series) -> pl.Series:
    return cells.to_frame("cell").select(
        pl.when(good & (pl.col("cell") != "")).then(pl.col("cell"))
    )["cell"]  # fmt: skip


def _text(cells: pl.Series) -> pl.Series:
    return _kept(
        cells, (cells.str.len_chars() <= TEXT_LIMIT) & ~cells.str.contains("\0", literal=True)
    )


def _currency(cells: pl.Series) -> pl.Series:
    upper = cells.str.to_uppercase()
    return _kept(upper, upper.str.contains(r"^[A-Z][A-Z0-9]{2,7}$"))


def _int(cells: pl.Series) -> pl.Series:
    return _kept(cells, cells.str.contains(r"^[+-]?[0-9]+$")).cast(pl.Int64, strict=False)


def _rate(cells: pl.Series) -> pl.Series:
    form = cells.str.contains(r"^[+-]?[0-9]+(\.[0-9]+)?(/[0-9]+(\.[0-9]+)?)?$")
    by_zero = cells.str.contains(r"/0+(\.0+)?$")
    return _kept(cells, form & ~by_zero & (cells.str.len_chars() <= NUMBER_LIMIT))


def _flag(cells: pl.Series) -> pl.Series:
    return cells.str.to_lowercase().replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)


def _e8(cells: pl.Series) -> pl.Series:
    """Plain decimals by string arithmetic, half-even past the eighth place; others by parse_e8."""
    part = pl.col("part").struct
    fraction, rest = pl.col("fraction"), pl.col("rest")
    frame = cells.to_frame("cell").select(
        "cell",
        part=pl.col("cell").str.extract_groups(r"^([+-]?)([0-9]*)(?:\.([0-9]*))?$"),
    )
    frame = frame.select(
        "cell",
        sign=part.field("1"),
        whole=part.field("2").fill_null(""),
        fraction=part.field("3").fill_null(""),
    ).with_columns(
        rest=fraction.str.slice(8),
        digits=pl.concat_str("whole", fraction.str.head(8).str.pad_end(8, "0")).cast(
            pl.Int64, strict=False
        ),
        plain=pl.col("cell").str.contains(r"[0-9]") & pl.col("sign").is_not_null(),
    )
    digits = pl.col("digits")
    half = rest.str.contains(r"^50*$")
    up = rest.str.contains(r"^[5-9]") & (~half | (digits % 2 == 1))
    size = pl.when(~up).then(digits).when(digits < MAX_E8).then(digits + 1)
    value = pl.when(pl.col("sign") == "-").then(-size).otherwise(size)
    short = pl.col("cell").str.len_chars() <= NUMBER_LIMIT
    values = frame.select(pl.when(pl.col("plain") & short).then(value).alias("value"))["value"]
    return _with_odd(cells, values)


def _with_odd(cells: pl.Series, values: pl.Series) -> pl.Series:
    """Fill in what the scalar reader accepts beyond plain digits, such as 1e-05."""
    odd = cells.filter(values.is_null() & cells.str.contains("[eE]")).unique()
    read = {cell: units for cell in odd if (units := _scalar_e8(cell)) is not None}
    if not read:
        return values
    return values.zip_with(
        values.is_not_null(), cells.replace_strict(read, default=None, return_dtype=pl.Int64)
    )


def _scalar_e8(cell: str) -> int | None:
    try:
        return parse_e8(cell) if len(cell) <= NUMBER_LIMIT else None
    except BadInput:
        return None


def _in_time(values: pl.Series) -> pl.Series:
    good = (values >= 0) & (values < FOREVER_MS)
    return values.zip_with(good.fill_null(False), pl.Series([None], dtype=pl.Int64))


def _server_time(cells: pl.Series) -> pl.Series:
    return _in_time(cells.to_frame("cell").select(server_text_to_ms(pl.col("cell")))["cell"])


def _moment(cells: pl.Series, clock: Clock, whose: pl.Series | None,
            clocks: Mapping[str, Clock] | None) -> pl.Series:  # fmt: skip
    if not (cells != "").any():
        return pl.Series(cells.name, [None], dtype=pl.Int64).new_from_index(0, len(cells))
    cell = pl.col("cell")
    zoned = (
        cell.str.replace(r"^(\d{4}-\d\d-\d\d)[Tt ]", "${1}T")
        .str.replace(r"\s?[zZ]$", "+00:00")
        .str.replace(r"T(\d\d:\d\d)([+-])", "T$1:00$2")
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", time_unit="ms", time_zone="UTC", strict=False)
    )
    day = pl.when(cell.str.contains(_DATE)).then(cell).str.to_date("%Y-%m-%d", strict=False)
    frame = cells.to_frame("cell").select(
        zoned=zoned.dt.epoch("ms"), day=day.cast(pl.Int32).cast(pl.Int64) * DAY_MS
    )
    starts = _day_starts(frame["day"], clock, whose, clocks)
    return _in_time(frame["zoned"].zip_with(frame["zoned"].is_not_null(), starts))


def _day_starts(days: pl.Series, clock: Clock, whose: pl.Series | None,
                clocks: Mapping[str, Clock] | None) -> pl.Series:  # fmt: skip
    if not days.is_not_null().any():
        return days
    wall = days.fill_null(0).to_numpy()
    utc = clock.to_utc(wall)
    if whose is not None and clocks:
        for key in set(whose.unique().to_list()) & set(clocks):
            mine = (whose == key).fill_null(False).to_numpy()
            utc = np.where(mine, clocks[key].to_utc(wall), utc)
    return pl.Series(utc, dtype=pl.Int64).zip_with(
        days.is_not_null(), pl.Series([None], dtype=pl.Int64)
    )


_CONVERT: dict[str, Callable[[pl.Series], pl.Series]] = {
    "text": _text, "currency": _currency, "int": _int, "rate": _rate, "flag": _flag, "e8": _e8,
    "server_time": _server_time,
}  # fmt: skip
_WRONG = {
    "int": ("not_an_integer", "is not a whole number such as 12345"),
    "currency": ("not_a_currency", "is not a currency code such as USD, JPY or USC"),
    "flag": ("not_a_flag", "is neither yes nor no"),
    "server_time": ("bad_time", "is not a server time such as 2026.07.01 13:05:08"),
    "moment": (
        "bad_moment",
        "is not a moment: write a date (2026-07-01) or a time with its zone "
        "(2026-07-01T13:05:08Z, 2026-07-01 13:05+02:00)",
    ),
}


def reason(cell: str, type_: str) -> tuple[str, str]:
    """Return (code, what is wrong with `cell`), for a cell whose value is null."""
    if len(cell) > (TEXT_LIMIT if type_ == "text" else NUMBER_LIMIT):
        limit = TEXT_LIMIT if type_ == "text" else NUMBER_LIMIT
        return "cell_too_large", f"has {len(cell)} characters, at most {limit} are read"
    if type_ == "text":
        return "bad_text", "holds a zero byte"
    if type_.startswith("choice:"):
        choices = type_.removeprefix("choice:").replace("|", ", ")
        return "not_a_choice", f"{cell!r} is none of: {choices}"
    if type_ in ("e8", "rate"):
        try:
            (parse_e8 if type_ == "e8" else parse_rate)(cell)
        except BadInput as error:
            return error.code, error.message
        return "not_a_number", f"{cell!r} is not a plain decimal number such as 1000.50"
    code, wrong = _WRONG[type_]
    return code, f"{cell!r} {wrong}"
