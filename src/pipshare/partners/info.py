"""The partners as rating needs them: wallet currency, status over time, go-live, own client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare import db
from pipshare.facts import history
from pipshare.partners.lookup import all_partners
from pipshare.period import Millis

STATUSES = ("active", "suspended", "terminated")  # codes are places in this
_STATUS = f"""
SELECT partner_id, {db.ms("valid_from")}, status, id FROM partners_status
"""
_GO_LIVE = f"""
SELECT DISTINCT ON (partner_id) partner_id, {db.ms("go_live")}
  FROM partners_go_live ORDER BY partner_id, id DESC
"""
_STATUS_SCHEMA = {
    "subject": pl.Int64, "from_ms": pl.Int64, "status": pl.String, "id": pl.Int64,
}  # fmt: skip
_GO_LIVE_SCHEMA = dict.fromkeys(("id", "go_live"), pl.Int64)


@dataclass(frozen=True)
class PartnerInfo:
    """Columns, one row per partner, `ids` ascending.

    `currency` holds places in `currencies`. `own_client` is -1 where none is linked, `go_live_ms`
    0 where none is set. `status` has rows (partner id, start_ms, place in STATUSES), sorted;
    before the first a partner is active.
    """

    ids: Millis
    codes: tuple[str, ...]
    entity: Millis
    currency: npt.NDArray[np.int32]
    currencies: tuple[str, ...]
    own_client: Millis
    go_live_ms: Millis
    status: tuple[Millis, Millis, Millis]


def info(conn: psycopg.Connection[Any]) -> PartnerInfo:
    """Return all partners as known now."""
    everyone = all_partners(conn).join(
        db.read_columns(conn, _GO_LIVE, schema=_GO_LIVE_SCHEMA), on="id", how="left",
        maintain_order="left",
    )  # fmt: skip
    currencies = everyone["currency"].unique().sort()
    said = recorded_statuses(conn)
    codes = said["status"].replace_strict(
        {word: code for code, word in enumerate(STATUSES)}, return_dtype=pl.Int64
    )
    return PartnerInfo(
        ids=everyone["id"].to_numpy(),
        codes=tuple(everyone["code"]),
        entity=everyone["entity_id"].to_numpy(),
        currency=currencies.search_sorted(everyone["currency"]).to_numpy().astype(np.int32),
        currencies=tuple(currencies),
        own_client=everyone["own_client_id"].fill_null(-1).to_numpy(),
        go_live_ms=everyone["go_live"].fill_null(0).to_numpy(),
        status=(said["subject"].to_numpy(), said["from_ms"].to_numpy(), codes.to_numpy()),
    )


def recorded_statuses(conn: psycopg.Connection[Any]) -> pl.DataFrame:
    """Return the statuses in force: subject, from_ms, status, id; each until the next one."""
    return history.resolve(db.read_columns(conn, _STATUS, schema=_STATUS_SCHEMA))


def go_lives(conn: psycopg.Connection[Any]) -> dict[int, int]:
    """Return the go-live moment (UTC ms) of each partner who has one, by id."""
    return dict(db.read_columns(conn, _GO_LIVE, schema=_GO_LIVE_SCHEMA).iter_rows())
