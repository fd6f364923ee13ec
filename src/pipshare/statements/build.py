"""Build one partner's statement for one period from legs and lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import polars as pl
import psycopg

from pipshare import db
from pipshare.errors import BadInput
from pipshare.statements.windows import WindowLine, window_lines

_BALANCES = """
SELECT a.currency, a.state,
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period < %(period)s), 0)::numeric AS opening,
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period = %(period)s AND t.kind = 'accrual'), 0),
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period = %(period)s AND t.kind = 'correction'), 0),
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period = %(period)s AND t.kind = 'adjustment'), 0),
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period = %(period)s AND t.kind NOT IN
                ('accrual', 'correction', 'adjustment')), 0) AS moved,
       COALESCE(sum(l.amount_e8) FILTER (WHERE t.period <= %(period)s), 0) AS closing
  FROM ledger_account a
  JOIN ledger_leg l ON l.account_id = a.id
  JOIN ledger_transfer t ON t.id = l.transfer_id
 WHERE a.payee_kind = 'partner' AND a.payee_id = %(partner)s
 GROUP BY a.currency, a.state ORDER BY a.currency, a.state
"""
# The legs name the transfers, the transfers the entries: only they are opened.
_LINES = f"""
WITH mine AS (
    SELECT DISTINCT l.transfer_id, l.account_id, t.earned_day, t.kind, a.currency
      FROM ledger_account a
      JOIN ledger_leg l ON l.account_id = a.id
      JOIN ledger_transfer t ON t.id = l.transfer_id
     WHERE a.payee_kind = 'partner' AND a.payee_id = %(partner)s AND t.period = %(period)s
)
SELECT s.code AS server, r.ticket, r.login, q.symbol, q.lots_e8, {db.ms("q.close_at")} AS close_ms,
       c.code AS component, p.code AS programme, r.level::int AS level, r.reason::int AS reason,
       r.amount_e8, m.currency, m.kind, m.earned_day::text AS earned_day, r.transfer_id
  FROM mine m
  JOIN rating_line r ON r.transfer_id = m.transfer_id AND r.account = m.account_id
  JOIN trades_trade q ON q.server_id = r.server_id AND q.ticket = r.ticket
                     AND q.revision = r.revision
  JOIN plans_component c ON c.id = r.component
  JOIN plans_programme p ON p.id = c.programme_id
  JOIN market_server s ON s.id = r.server_id
 ORDER BY q.close_at, s.code, r.ticket, r.seq, c.code, r.level
"""
_SCHEMA = {
    "server": pl.String, "ticket": pl.Int64, "login": pl.Int64, "symbol": pl.String,
    "lots_e8": pl.Int64, "close_ms": pl.Int64, "component": pl.String, "programme": pl.String,
    "level": pl.Int64, "reason": pl.Int64, "amount_e8": pl.Int64, "currency": pl.String,
    "kind": pl.String, "earned_day": pl.String, "transfer_id": pl.Int64,
}  # fmt: skip
_WAITING = """
SELECT reason, count(*)
  FROM (SELECT reason FROM rating_waiting WHERE partner = %(partner)s
        UNION ALL SELECT reason FROM rating_window_waiting WHERE partner = %(partner)s) w
 GROUP BY reason ORDER BY reason
"""


@dataclass(frozen=True)
class Balance:
    """One state of one wallet over the period; amounts in 1e-8.

    `moved_e8` came from other states (accrued becomes payable, payable paid) or went there.
    """

    currency: str
    state: str
    opening_e8: int
    accrued_e8: int
    corrected_e8: int
    adjusted_e8: int
    moved_e8: int
    closing_e8: int


@dataclass(frozen=True)
class Statement:
    """What one partner earned in one period.

    `lines` has a row per line (see _SCHEMA), in the order of the closes; `windows` what windows of
    many trades, or clients, came to; `waiting` counts the lines of his that wait, by reason.
    """

    partner: str
    period: str
    balances: list[Balance]
    lines: pl.DataFrame
    waiting: dict[str, int]
    windows: list[WindowLine] = field(default_factory=list)


def build(conn: psycopg.Connection, partner_id: int, code: str, period: str) -> Statement:
    """Return the statement of a partner (id and code) for a period such as 2026-11.

    Raises BadInput for something that is not a period.
    """
    booked = balances(conn, partner_id, period)
    params = {"partner": partner_id, "period": period}
    lines = db.read_columns(conn, _LINES, params, schema=_SCHEMA)
    waiting = waiting_lines(conn, partner_id)
    return Statement(code, period, booked, lines, waiting, window_lines(conn, partner_id, period))


def balances(conn: psycopg.Connection, partner_id: int, period: str) -> list[Balance]:
    """Return a partner's wallets over a period: opening, booked, closing, per state.

    Raises BadInput for something that is not a period.
    """
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", period):
        raise BadInput("bad_period", f"{period!r} is not a period: write year and month, 2026-11")
    rows = conn.execute(_BALANCES, {"partner": partner_id, "period": period}).fetchall()
    return [Balance(row[0], row[1], *(int(value) for value in row[2:])) for row in rows]


def waiting_lines(conn: psycopg.Connection, partner_id: int) -> dict[str, int]:
    """Count the lines of a partner that wait, by reason."""
    return dict(conn.execute(_WAITING, {"partner": partner_id}).fetchall())


def by_component(statement: Statement) -> pl.DataFrame:
    """Sum a statement's lines: programme, component, level, currency, trades, lots, amount."""
    keys = ["programme", "component", "level", "currency"]
    of_trades = statement.lines.group_by(keys).agg(
        trades=pl.struct("server", "ticket").n_unique().cast(pl.Int64),
        lots_e8=pl.col("lots_e8").filter(pl.col("kind") == "accrual").sum(),
        amount_e8=pl.col("amount_e8").sum(),
    )
    rows = [
        (one.programme, one.component, one.level, one.currency, 0, 0, one.amount_e8)
        for one in statement.windows
    ]
    of_windows = pl.DataFrame(rows, schema=of_trades.schema, orient="row")
    sums = [pl.col(name).sum() for name in ("trades", "lots_e8", "amount_e8")]
    return pl.concat([of_trades, of_windows]).group_by(keys).agg(*sums).sort(keys)
