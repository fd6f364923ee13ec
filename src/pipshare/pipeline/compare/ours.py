"""Our side of a comparison: what is booked by ticket, or what other plans would book."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from pipshare import db
from pipshare.pipeline.run import Run
from pipshare.pipeline.simulate.lines import LINES, chunks
from pipshare.pipeline.simulate.question import Question, asking_for_all, sides_of
from pipshare.pipeline.simulate.windows import window_lines

# Booked amounts; `ticket` 0 = of no trade. `partner` is a code.
OURS: dict[str, pl.DataType | type[pl.DataType]] = {
    "partner": pl.String, "server": pl.String, "ticket": pl.Int64, "currency": pl.String,
    "amount_e8": pl.Int64,
}  # fmt: skip
_BY_TICKET = """
SELECT p.code AS partner, s.code AS server, r.ticket, a.currency,
       sum(r.amount_e8)::bigint AS amount_e8
  FROM rating_line r
  JOIN ledger_account a ON a.id = r.account
  JOIN partners_partner p ON p.id = a.payee_id
  JOIN market_server s ON s.id = r.server_id
 WHERE a.payee_kind = 'partner' AND r.server_id = %(server)s
   AND r.day >= %(first)s AND r.day <= %(last)s AND mod(r.ticket, %(parts)s) = %(part)s
 GROUP BY 1, 2, 3, 4"""
_COUNT = "SELECT count(*) FROM rating_entry WHERE server_id = %s"
_OF_WINDOWS = """
SELECT p.code AS partner, '' AS server, 0::bigint AS ticket, a.currency,
       sum(w.amount_e8)::bigint AS amount_e8
  FROM rating_window_line w
  JOIN ledger_account a ON a.id = w.account
  JOIN partners_partner p ON p.id = a.payee_id
 WHERE a.payee_kind = 'partner' AND w.day >= %(first)s AND w.day <= %(last)s
 GROUP BY 1, 4"""
_AT_ONCE = 1_000_000  # trades that are read at a time; all that is booked of one is read at once


def booked(run: Run, first: date, last: date, server: str | None) -> Iterator[pl.DataFrame]:
    """Yield what is booked as earned on these days, both included, as OURS frames."""
    for one in run.servers.values():
        if server not in (None, one.code):
            continue
        found = run.conn.execute(_COUNT, (one.id,)).fetchone()
        assert found is not None
        parts = 1 + found[0] // _AT_ONCE
        for part in range(parts):
            values = {"server": one.id, "first": first, "last": last, "parts": parts, "part": part}
            yield db.read_columns(run.conn, _BY_TICKET, values, schema=OURS)
    if server is None:
        days = {"first": first, "last": last}
        yield db.read_columns(run.conn, _OF_WINDOWS, days, schema=OURS)


def simulated(run: Run, asked: Question) -> tuple[Run, Iterator[pl.DataFrame]]:
    """Return a run by the given plans, and what these would book, as OURS frames."""
    now, then, _ = sides_of(run, asked)
    return then, _simulated(run, now, then, asked)


def _simulated(run: Run, now: Run, then: Run, asked: Question) -> Iterator[pl.DataFrame]:
    asking = asking_for_all(now, then)
    codes = dict(zip(run.partners.ids.tolist(), run.partners.codes, strict=True))
    servers = {one.id: one.code for one in run.servers.values()} | {0: ""}
    for entity_id in sorted({one.entity_id for one in then.servers.values()}):
        span = asked.span(run, entity_id)
        for server in then.servers.values():
            if server.entity_id == entity_id:
                for chunk in chunks([then], asking, server, span):
                    yield _ours(chunk.lines(0), codes, servers)
        for lines, _ in window_lines(then, entity_id, span):
            yield _ours(lines, codes, servers)


def _ours(lines: pl.DataFrame, codes: dict[int, str], servers: dict[int, str]) -> pl.DataFrame:
    assert lines.schema == pl.Schema(LINES)
    partners = lines.filter(pl.col("partner_id") > 0).with_columns(
        partner=pl.col("partner_id").replace_strict(codes, return_dtype=pl.String),
        server=pl.col("server_id").replace_strict(servers, return_dtype=pl.String),
        ticket=pl.max_horizontal("ticket", 0),
    )
    by = ["partner", "server", "ticket", "wallet"]
    sums = partners.group_by(by, maintain_order=True).agg(pl.col("amount_e8").sum())
    return sums.rename({"wallet": "currency"}).select(OURS.keys()).cast(pl.Schema(OURS))


def days_of(run: Run, first: date | None, last: date | None) -> tuple[date, date]:
    """Return the days asked for; an open end is that of the stored trades."""
    found = run.conn.execute(
        "SELECT (extract(epoch FROM min(close_at)) / 86400)::bigint - 1,"
        " (extract(epoch FROM max(close_at)) / 86400)::bigint + 1 FROM trades_trade"
    ).fetchone()
    begin, end = found if found and found[0] is not None else (0, 0)
    epoch = date(1970, 1, 1).toordinal()
    return first or date.fromordinal(epoch + begin), last or date.fromordinal(epoch + end)
