"""Alerts of a booking: what market data is missing, and where margin guards had to speak.

One alert per server, reason and thing that is missing, however many trades wait for it; it is over
when nothing waits for it any more. A guard's alert is one per programme, until a person closes it.
"""

from __future__ import annotations

import polars as pl

from pipshare import inbox, rating
from pipshare.market import Server
from pipshare.money import format_e8
from pipshare.pipeline.run import Run
from pipshare.rating.reasons import Wait

# What a broker has to bring; that a partner has no terms is on the list of what waits.
MISSING = tuple(
    wait.word
    for wait in (
        Wait.UNPRICED, Wait.NO_FX, Wait.NO_QUOTE, Wait.NO_LOT_FACTOR, Wait.NO_PIP_SIZE,
        Wait.NO_MARKUP, Wait.NO_CONTRACT, Wait.NO_PROFIT_CURRENCY, Wait.NO_TYPICAL_SPREAD,
    )
)  # fmt: skip
GUARD = "margin_guard"
_SENTENCES = {wait.word: wait.sentence for wait in Wait}
_ALL = "trades"  # the subject where a reason names nothing
_MOST = 20  # things of one batch that get an alert: the rest stands in the list of what waits


def tell_waits(run: Run, server: Server, waits: pl.DataFrame, gone: int) -> None:
    """Raise alerts for what a batch's lines wait for (rated.WAITS and ticket), in the open
    transaction; `gone`: so many lines of the batch wait no longer, so that alerts may be over."""
    if gone:
        _resolve(run, server)
    found = waits.filter(pl.col("reason").is_in(MISSING))
    if found.is_empty():
        return
    each = (
        found.group_by("reason", "key")
        .agg(count=pl.col("ticket").n_unique(), ticket=pl.col("ticket").min())
        .sort("count", "reason", "key", descending=[True, False, False])
    )
    for reason, key, count, ticket in each.head(_MOST).iter_rows():
        about = f" ({key})" if key else ""
        trades = f"trade {ticket} waits" if count == 1 else f"{count} trades wait, as {ticket}"
        inbox.raise_alert(
            run.conn, reason, key or _ALL,
            f"{server.code}: {trades}: {_SENTENCES[reason]}{about}", server_id=server.id,
        )  # fmt: skip


def tell_guards(run: Run, server: Server, tickets: pl.Series, guarded: pl.DataFrame | None) -> None:
    """Raise an alert per programme whose guard had to speak in a batch (rated.GUARDED)."""
    if guarded is None or guarded.is_empty():
        return
    for (programme,), rows in guarded.group_by("programme", maintain_order=True):
        said = [
            f"{count} {_DONE[action]}" for action, count in
            rows.group_by("action", maintain_order=True).len().iter_rows()
        ]  # fmt: skip
        worst = rows.with_columns(over=pl.col("paid_e8") - pl.col("limit_e8")).sort("over")[-1]
        row = worst.row(0, named=True)
        paid, limit = (format_e8(row[name]) for name in ("paid_e8", "limit_e8"))
        unclear = row["action"] == "unclear"
        example = "" if unclear else f", the chain {paid} {row['currency']} where {limit} is kept"
        inbox.raise_alert(
            run.conn, GUARD, str(programme),
            f"{server.code}: programme {programme} pays more than the broker earns:"
            f" {', '.join(said)}; as trade {tickets[row['trade_row']]}{example}."
            " Check its rates, or the guard in the plan",
            server_id=server.id,
        )  # fmt: skip


_DONE = {
    "warn": "paid all the same", "cap": "cut to what is kept", "block": "stopped, and waiting",
    "unclear": "of which the revenue cannot be told",
}  # fmt: skip


def _resolve(run: Run, server: Server) -> None:
    """Close the alerts of what nothing waits for any more."""
    open_ = inbox.open_subjects(run.conn, MISSING, server.id)
    if not open_:
        return
    waiting = rating.waits_for(run.conn, server.id, MISSING)
    for code, subject in open_:
        if (code, "" if subject == _ALL else subject) not in waiting:
            inbox.resolve_alert(run.conn, code, subject, server_id=server.id)
