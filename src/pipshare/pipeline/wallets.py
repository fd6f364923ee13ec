"""Give each line its ledger accounts and its earned day: what the ledger needs to know of it."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipshare.ledger.accounts import HOUSE, Key
from pipshare.market import Server
from pipshare.pipeline.run import Run
from pipshare.rating import Rated


def with_wallets(
    run: Run, server: Server, ticket: pl.Series, days: np.ndarray, rated: Rated
) -> pl.DataFrame:
    """Return the lines as a frame: ticket, component, level, partner, account, contra, rate,
    reason, amount_e8, orig_e8, fx, day. `ticket` and `days` (since 1970) are by trade row.
    """
    lines = rated.lines
    account, contra = _accounts(run, server, rated)
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


def _accounts(run: Run, server: Server, rated: Rated) -> tuple[np.ndarray, np.ndarray]:
    """Return the payee's and the house's account of each line; few are distinct."""
    lines = rated.lines
    code = (lines.partner_id.astype(np.int64) << 20) | (lines.wallet.astype(np.int64) << 1)
    code |= lines.held.astype(np.int64)
    distinct, place = np.unique(code, return_inverse=True)
    payees, houses = [], []
    for value in distinct.tolist():
        partner, wallet, held = value >> 20, (value >> 1) & 0x7FFFF, value & 1
        currency = rated.currencies[wallet]
        state, cause = ("held", "partner suspended") if held else ("accrued", "")
        payees.append(Key(server.entity_id, "partner", partner, currency, state, cause))
        houses.append(Key(server.entity_id, "house", HOUSE, currency, "expense"))
    ids = np.array(run.accounts.ids(run.conn, payees + houses), np.int64)
    return ids[: len(distinct)][place], ids[len(distinct) :][place]


def with_house(run: Run, lines: pl.DataFrame) -> pl.DataFrame:
    """Fill in the house account of lines that are only taken back, which rating did not name."""
    missing = lines.filter(pl.col("contra").is_null())["account"].unique()
    if not len(missing):
        return lines
    house = run.accounts.house_of(run.conn, missing.to_list())
    found = pl.col("account").replace_strict(house, default=None, return_dtype=pl.Int64)
    return lines.with_columns(contra=pl.coalesce("contra", found))
