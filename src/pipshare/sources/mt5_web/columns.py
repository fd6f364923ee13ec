"""Records into DEAL columns: all fields as text by Polars' JSON reader, then exact numbers.

A record that this does not take (another spelling, a wrong value) goes through scalar.py, which
takes it or says what is wrong; its neighbours are not touched.
"""

from __future__ import annotations

import polars as pl

from pipshare.facts import DEAL
from pipshare.period import FOREVER_MS
from pipshare.sources.files.numbers import e8, whole
from pipshare.sources.mt5_web.scalar import (
    AMOUNTS,
    BLANKS,
    CONTROL,
    COUNTS,
    ENTRIES,
    FLAGS,
    MAX_ENUM,
    MAX_INT,
    NAMES,
    NOTHING,
    cells,
)
from pipshare.sources.mt5_web.values import REMARKS

SYMBOL_BYTES = 64
_TEXTS = dict.fromkeys(NAMES, pl.String)
# A value that is a number, not text: Polars would read it as a float, so Python reads it. The
# wider pattern is looked for first, because it is quicker by half.
_PERHAPS_BARE = r":\s*[-0-9]"
_BARE = r'"\s*:\s*[-0-9]'
Typed = tuple[pl.DataFrame, pl.DataFrame]


def typed(texts: list[bytes], lines: bytes | None = None) -> Typed | None:
    """Return (good, rest) of JSON records; None when one of them is no JSON in UTF-8.

    good: DEAL's and REMARKS' columns with `at`, the record's place in `texts`; rest: `at` alone.
    lines: the same records, one a line, where that is at hand.
    """
    try:
        utf8 = pl.Series(texts, dtype=pl.Binary).cast(pl.String)
        if lines is None:
            lines = b"\n".join(texts)
            if lines.count(b"\n") != len(texts) - 1:  # JSON printed over several lines
                lines = "\n".join(utf8.str.replace_all("\n", " ", literal=True)).encode()
        told = pl.read_ndjson(lines, schema=_TEXTS)
    except pl.exceptions.PolarsError:
        return None
    if len(told) != len(texts):
        return None
    return numbers(_reread(told, texts, _bare(utf8)))


def _bare(utf8: pl.Series) -> pl.Series:
    perhaps = utf8.str.contains(_PERHAPS_BARE)
    if not perhaps.any():
        return perhaps
    return perhaps & utf8.set(~perhaps, "").str.contains(_BARE)


def _reread(told: pl.DataFrame, texts: list[bytes], bare: pl.Series) -> pl.DataFrame:
    """Put Python's reading, which keeps every digit, in the place of the bare records."""
    if not bare.any():
        return told
    places = bare.arg_true()
    read = pl.DataFrame([cells(texts[at]) for at in places], schema=_TEXTS)
    rest = told.with_row_index("at").filter(~bare).select(*NAMES, "at")
    return pl.concat([rest, read.with_columns(at=places)]).sort("at").select(NAMES)


def numbers(told: pl.DataFrame) -> Typed:
    """Return (good, rest) as `typed` does, of records already read as text."""
    plain = told.select(
        *(whole(name) for name in COUNTS), *(e8(name) for name in AMOUNTS.values()), *_texts()
    )
    # Null = not told, or no number. A server that leaves a field out does so in every record.
    absent = {
        name: pl.Series(told[name].fill_null("") == "")
        for name in (*COUNTS, *AMOUNTS.values())
        if plain[name].null_count()
    }
    plain = plain.with_columns(
        plain[name].zip_with(~where, pl.Series([NOTHING.get(name, 0)])).alias(name)
        for name, where in absent.items()
    )
    frame = (
        plain.lazy().with_row_index("at").select(*_columns(), "at").with_columns(good=_good())
        .collect()
    )  # fmt: skip
    good = frame.filter("good").select(
        *(pl.col(name).cast(type_) for name, type_ in (DEAL | REMARKS).items() if name != "line"),
        "at",
    )
    return good, frame.filter(~pl.col("good")).select("at")


def _texts() -> list[pl.Expr]:
    symbol, comment = (pl.col(name).fill_null("").str.strip_chars(BLANKS)
                       for name in ("Symbol", "Comment"))  # fmt: skip
    return [symbol, comment.str.replace_all("\0", "", literal=True)]


def _columns() -> list[pl.Expr]:
    names = {"deal": "Deal", "login": "Login", "order": "Order", "position": "PositionID",
             "action": "Action", "entry": "Entry", "reason": "Reason", "symbol": "Symbol",
             "comment": "Comment", **AMOUNTS}  # fmt: skip
    return [
        *(pl.col(theirs).alias(ours) for ours, theirs in names.items()),
        _first_told("TimeMsc", "Time", 1000).alias("time_ms"),
        _first_told("VolumeExt", "Volume", 10_000).alias("volume_e8"),
        _first_told("VolumeClosedExt", "VolumeClosed", 10_000).alias("closed_e8"),
        _first_told(*FLAGS, 1).alias("flags"),
    ]


def _first_told(fine: str, coarse: str, factor: int) -> pl.Expr:
    """The fine value, or the coarse one in its units where there is none (0).

    A wrong one (null) stays wrong: the scalar reader will say so.
    """
    second = pl.when(pl.col(coarse) <= MAX_INT // factor).then(pl.col(coarse) * factor)
    return pl.when(pl.col(fine) == 0).then(second).otherwise(pl.col(fine))


def _good() -> pl.Expr:
    counts = ("order", "position", "volume_e8", "closed_e8", "flags")
    trade = pl.col("action").is_in([0, 1])
    sound = (
        (pl.col("volume_e8") > 0) & (pl.col("price_e8") != 0) & (pl.col("symbol") != "")
        & pl.col("entry").is_in(ENTRIES)
    )  # fmt: skip
    symbol = pl.col("symbol")
    return pl.all_horizontal(
        pl.col("deal") > 0, pl.col("login") > 0,
        pl.col("time_ms").is_between(1, FOREVER_MS - 1),
        *(pl.col(name) >= 0 for name in counts),
        pl.col("action", "entry").is_between(0, MAX_ENUM),
        pl.col("reason").is_between(-1, MAX_ENUM),
        symbol.str.len_bytes() <= SYMBOL_BYTES,
        ~symbol.str.contains("\ufffd", literal=True),
        ~symbol.str.contains(CONTROL),
        *(pl.col(ours).is_not_null() for ours in AMOUNTS),
        ~trade | sound,
    ).fill_null(False)  # fmt: skip
