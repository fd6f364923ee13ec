"""Journal rows into trades: columns by name, the second Price being the closing one."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

import polars as pl

from pipshare.errors import BadInput
from pipshare.facts import TRADE
from pipshare.sources.files.csv_rows import Rows, Shape, csv_rows
from pipshare.sources.files.decode import Opened
from pipshare.sources.files.split import split_line
from pipshare.sources.files.trade_rows import add_leftovers, closed_trades, leftovers, with_all
from pipshare.sources.reading import CLIENT, Chunk, Meta, Reading

TIME_FORM = "%Y-%m-%d %H:%M:%S"
_NAMES = {
    "ticket": "ticket", "open": "open_time", "type": "type", "volume": "volume",
    "symbol": "symbol", "close": "close_time", "swap": "swap", "commissions": "commission",
    "commission": "commission", "profit": "profit",
}  # fmt: skip
_NEEDED = ("ticket", "open_time", "type", "volume", "symbol", "close_time", "profit",
           "open_price", "close_price")  # fmt: skip


def find_shape(text: str) -> tuple[Shape, dict[str, str]] | None:
    """Return how to cut a journal and its captions; None when the header is no journal's."""
    line = text.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r")
    for delimiter in ";,\t":
        header = [cell.strip() for cell in split_line(line, delimiter)]
        names = [cell.lower() for cell in header]
        prices = [at for at, name in enumerate(names) if name == "price"]
        if len(prices) != 2 or "login" in names:
            continue
        places = {_NAMES[name]: at for at, name in enumerate(names) if name in _NAMES}
        places |= {"open_price": prices[0], "close_price": prices[1]}
        if all(name in places for name in _NEEDED):
            captions = {ours: header[at] for ours, at in places.items()}
            captions |= {"open_price": "the first Price", "close_price": "the second Price"}
            return Shape(delimiter, len(header), places, 1), captions
    return None


def read(opened: Opened) -> Reading:
    """Open a journal. Raises BadInput when its header is no journal's."""
    found = find_shape(opened.text)
    if found is None:
        raise BadInput(
            "no_journal",
            f"{opened.path.name} is no journal: its first line has to name Ticket, Open, Type, "
            "Volume, Symbol, Price, Close, Price and Profit",
        )
    shape, captions = found
    meta = Meta("journal", opened.charset.name, "mt4", CLIENT)

    def chunks() -> Iterator[Chunk]:
        for rows in csv_rows(opened, shape, list(shape.columns)):
            yield _chunk(rows, captions)

    return Reading(meta, chunks)


def _chunk(rows: Rows, captions: dict[str, str]) -> Chunk:
    frame = with_all(rows.frame.filter(pl.any_horizontal(pl.exclude("line") != "")))
    trades, rest, cancelled = closed_trades(frame, TIME_FORM, lossy=rows.lossy, has_login=False)
    chunk = Chunk(trades, cancelled=cancelled)
    chunk.first_line, chunk.last_line = rows.block.first_line, rows.last_line
    if len(rest):
        add_leftovers(chunk, leftovers(rest, rows, captions, has_login=False))
    chunk.trades = _identified(chunk.trades)
    chunk.refused = sorted(rows.refused, key=lambda refusal: refusal.line)
    return chunk


def _identified(trades: pl.DataFrame) -> pl.DataFrame:
    """Give each row an identity, and keep the printed ticket as its position.

    A journal's identity is ticket, close time and volume, because partial closes repeat the
    ticket. The trade's ticket is a negative number made of the three, so that it is the same in
    every file and never a real ticket.
    """
    keys = zip(trades["ticket"], trades["close_ms"], trades["lots_e8"], strict=True)
    return trades.with_columns(
        position=pl.col("ticket"),
        ticket=pl.Series([journal_ticket(*key) for key in keys], dtype=pl.Int64),
        login=pl.lit(0, pl.Int64),
    ).select(*TRADE)


def journal_ticket(ticket: int, close_ms: int, lots_e8: int) -> int:
    """Return the identity of a journal row: negative, 62 bits of blake2b over the three."""
    text = f"{ticket};{close_ms // 1000};{lots_e8}"
    digest = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
    return -1 - (digest >> 2)
