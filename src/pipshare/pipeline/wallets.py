"""Give each line its ledger accounts and its earned day: what the ledger needs to know of it."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipshare.ledger.accounts import HOUSE, Key
from pipshare.market import Server
from pipshare.period import Millis as Longs
from pipshare.pipeline.run import Run
from pipshare.rating import Rated
from pipshare.rating.columns import HELD_KYC

HELD_WORDS = ("", "suspended", "kyc")  # by columns.HELD_...


def with_wallets(
    run: Run, server: Server, ticket: pl.Series, days: np.ndarray, rated: Rated, client: Longs
) -> pl.DataFrame:
    """Return the lines as a frame: ticket, component, level, partner, account, contra, rate,
    reason, amount_e8, orig_e8, fx, day. `ticket`, `days` (since 1970) and `client` by trade row.
    """
    lines = rated.lines
    account, contra = _accounts(run, server, rated, client)
    columns = {
        "ticket": ticket.to_numpy()[lines.trade_row],
        "component": lines.component_id.astype(np.int64),
        "level": lines.level.astype(np.int64),
        "partner": lines.partner_id.astype(np.int64),
        "account": account,
        "contra": contra,
        "rate": lines.rate_id.astype(np.int64),
        "reason": lines.reason.astype(np.int64),
        "amount_e8": lines.amount_e8,
        "orig_e8": lines.orig_e8,
        "fx": lines.fx_id.astype(np.int64),
        "day": days[lines.trade_row].astype(np.int64),
    }
    return pl.DataFrame([pl.Series(name, values) for name, values in columns.items()])


def _accounts(run: Run, server: Server, rated: Rated, client: Longs) -> tuple[Longs, Longs]:
    """Return the payee's and the house's account of each line; few are distinct."""
    lines = rated.lines
    held = lines.held.astype(np.int64) if lines.held_by is None else lines.held_by.astype(np.int64)
    code = (lines.partner_id.astype(np.int64) << 20) | (lines.wallet.astype(np.int64) << 2) | held
    # A client's own line, and what is held for his KYC, have an account for each client.
    apart = np.flatnonzero((lines.partner_id == 0) | (held == HELD_KYC))
    whose = np.zeros(len(code), np.int64)
    whose[apart] = client[lines.trade_row[apart]]
    distinct, place = _distinct(code, whose, apart)
    payees, houses = [], []
    for value, who in distinct:
        partner, wallet, why = value >> 20, (value >> 2) & 0x3FFFF, value & 3
        currency = rated.currencies[wallet]
        state, cause = state_of(HELD_WORDS[why], who)
        kind, payee = ("partner", partner) if partner else ("client", who)
        payees.append(Key(server.entity_id, kind, payee, currency, state, cause))
        houses.append(Key(server.entity_id, "house", HOUSE, currency, "expense"))
    ids = np.array(run.accounts.ids(run.conn, payees + houses), np.int64)
    return ids[: len(distinct)][place], ids[len(distinct) :][place]


def _distinct(code: Longs, whose: Longs, apart: Longs) -> tuple[list[tuple[int, int]], Longs]:
    """Return the distinct (code, client) pairs, and which of them each line has."""
    if not len(apart):
        known, place = np.unique(code, return_inverse=True)
        return [(one, 0) for one in known.tolist()], place
    pairs, place = np.unique(np.stack((code, whose)), axis=1, return_inverse=True)
    return list(zip(*pairs.tolist(), strict=True)), np.asarray(place, np.int64).ravel()


def state_of(held_by: str, client: int) -> tuple[str, str]:
    """Return (state, cause) of the account that a line is booked on."""
    if held_by == "":
        return "accrued", ""
    if held_by == "suspended":
        return "held", "partner suspended"
    return "held", f"{held_by} client {client}"


def with_house(run: Run, lines: pl.DataFrame) -> pl.DataFrame:
    """Fill in the house account of lines that are only taken back, which rating did not name."""
    missing = lines.filter(pl.col("contra").is_null())["account"].unique()
    if not len(missing):
        return lines
    house = run.accounts.house_of(run.conn, missing.to_list())
    found = pl.col("account").replace_strict(house, default=None, return_dtype=pl.Int64)
    return lines.with_columns(contra=pl.coalesce("contra", found))
