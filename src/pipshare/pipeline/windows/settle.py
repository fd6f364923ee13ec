"""Settle windows: what they come to now, less what is booked of them, is posted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from pipshare import ledger, rating
from pipshare.ledger.accounts import HOUSE, Key
from pipshare.period import Clock, broker_days
from pipshare.pipeline.alerting import tell_waits
from pipshare.pipeline.run import Run
from pipshare.pipeline.said.settled import say_settled
from pipshare.pipeline.wallets import state_of
from pipshare.pipeline.windows.lasting import keep_lasting
from pipshare.pipeline.windows.work import Target, targets
from pipshare.rating.window_store import (
    Due,
    booked_windows,
    claim_due,
    merged,
    store_window_lines,
    take_shards,
)

AT_ONCE = 2_000  # notes that are taken up in one transaction
# `day` (since 1970) tells apart what happened in a client's life; a tree's window has none: null.
_KEY = ["start_ms", "client_id", "level", "payee_kind", "payee_id", "account", "day"]


@dataclass
class Settled:
    """What settling came to: windows looked at, lines posted, and what waits, by reason."""

    windows: int = 0
    lines: int = 0
    waiting: dict[str, int] = field(default_factory=dict)


def settle_windows(run: Run) -> Settled:
    """Settle all windows that are due, in as many transactions as needed. Commits."""
    total = Settled()
    for entity_id in list(run.entities):
        while _some(run, entity_id, total):
            pass
    return total


def _some(run: Run, entity_id: int, total: Settled) -> bool:
    """Settle some windows of an entity in one transaction; tell whether there were any."""
    run.current()
    due = claim_due(run.conn, entity_id, AT_ONCE)
    if not due:
        run.conn.commit()
        return False
    take_shards(run.conn, (one.shard for one in due))
    for target in targets(run, entity_id, due):
        total.windows += len(target.due)
        total.lines += _post(run, entity_id, target)
        keep_waits(run, entity_id, target)
        keep_lasting(run, entity_id, target)
        for reason, count in target.waits.group_by("reason").agg(pl.len()).iter_rows():
            total.waiting[reason] = total.waiting.get(reason, 0) + count
    run.conn.commit()
    return True


def keep_waits(run: Run, entity_id: int, target: Target) -> None:
    """Note which trades wait and what for, with the others that wait; alert where data lacks.

    So that they are listed, and taken up (which settles their windows again) when it comes.
    """
    waits = target.waits.filter(
        (pl.col("component_id") == target.component) & (pl.col("server_id") >= 0)
    ).rename({"trade_row": "ticket"})
    for server in run.servers.values():
        if server.entity_id == entity_id and server.go_live_ms is not None:
            mine = waits.filter(server_id=server.id)
            known = target.known[server.id]
            gone = rating.store_window_waiting(run.conn, server.id, target.component, known, mine)
            tell_waits(run, server, mine, gone)


def _post(run: Run, entity_id: int, target: Target) -> int:
    """Post the difference between what a component's windows come to and what is booked."""
    lines = _with_accounts(run, entity_id, _told(target, run.clock(entity_id)))
    shards = sorted(target.shards)
    known = booked_windows(
        run.conn, target.component, first_ms=target.first_ms, last_ms=target.last_ms,
        shards=shards, partners=run.members(shards), clients=sorted(target.clients),
    )  # fmt: skip
    new = difference(lines, known)
    if not len(new):
        return 0
    house = run.accounts.house_of(run.conn, new["account"].unique().to_list())
    contra = pl.col("account").replace_strict(house, return_dtype=pl.Int64)
    new = new.with_columns(contra=contra)
    said = broker_days(new["moment_ms"].to_numpy(), run.clock(entity_id)).astype(np.int64)
    days = new.select(pl.coalesce("day", "last_day", pl.Series("said", said)))["day"].to_numpy()
    transfer = np.zeros(len(new), np.int64)
    for kind, mask in (("accrual", new["seq"] == 1), ("correction", new["seq"] > 1)):
        rows = np.flatnonzero(mask.to_numpy())
        posting = ledger.post(
            run.conn, entity_id=entity_id, kind=kind, cause=f"windows of {target.code}",
            day=days[rows], account=new["account"].to_numpy()[rows],
            contra=new["contra"].to_numpy()[rows], amount_e8=new["amount_e8"].to_numpy()[rows],
        )  # fmt: skip
        transfer[rows] = posting.transfer
    causes = _causes(run, new, target.due)
    stored = new.with_columns(
        component=pl.lit(target.component),
        day=pl.Series(days),
        transfer=pl.Series(transfer),
        shard=pl.Series([_shard(run, row) for row in new.iter_rows(named=True)], dtype=pl.Int64),
    )
    store_window_lines(run.conn, stored, causes)
    say_settled(run, entity_id, target.component, target.code, new, known)
    return len(new)


def _told(target: Target, clock: Clock) -> pl.DataFrame:
    """Return the target's lines with who is paid: (payee_kind, payee_id), and for which client, on
    which day of his life."""
    is_client = pl.col("partner_id") == 0
    lives = pl.lit(bool(target.clients))
    day = pl.Series(broker_days(target.lines["moment_ms"].to_numpy(), clock).astype(np.int64))
    return target.lines.with_columns(day=day).select(
        start_ms="window_start_ms", end_ms="window_end_ms",
        client_id=pl.when(lives & (pl.col("client") > 0)).then("client").otherwise(0),
        level=pl.col("level").cast(pl.Int64),
        payee_kind=pl.when(is_client).then(pl.lit("client")).otherwise(pl.lit("partner")),
        payee_id=pl.when(is_client).then("client").otherwise(pl.col("partner_id").cast(pl.Int64)),
        # Held for a client, it is held apart for each.
        client=pl.when(pl.col("held_by") == "kyc").then("client").otherwise(0),
        wallet="wallet", held_by="held_by", currency="currency", amount_e8="amount_e8",
        orig_e8="orig_e8", reason="reason", moment_ms="moment_ms", event="event",
        day=pl.when(lives & (pl.col("client") > 0)).then("day"),
    )  # fmt: skip


def _with_accounts(run: Run, entity_id: int, lines: pl.DataFrame) -> pl.DataFrame:
    """Add `account`, one for each payee, wallet and cause for which it is held."""
    by = ["payee_kind", "payee_id", "wallet", "held_by", "client"]
    wallets = lines.select(by).unique(maintain_order=True)
    keys, houses = [], []
    for kind, payee, wallet, held_by, client in wallets.iter_rows():
        state, cause = state_of(held_by, client)
        keys.append(Key(entity_id, kind, payee, wallet, state, cause))
        houses.append(Key(entity_id, "house", HOUSE, wallet, "expense"))
    ids = run.accounts.ids(run.conn, keys + houses)[: len(keys)]
    return lines.join(wallets.with_columns(account=pl.Series(ids, dtype=pl.Int64)), on=by)


def difference(lines: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the lines to post so that what is booked becomes what windows come to. Pure.

    `lines`: the columns of the key, amount_e8, orig_e8, currency, reason; several of one key are
    summed. `known`: window_store.BOOKED. What is booked and no more earned comes back with the
    opposite amount, on the day (`last_day`) on which it was. A sum of zero is new only where
    nothing stood.
    """
    now = lines.group_by(_KEY, maintain_order=True).agg(
        pl.col("amount_e8", "orig_e8").sum(), pl.col("currency").min(),
        # Of several reasons the first that pays says more than one that does not.
        pl.col("reason").min(), pl.col("end_ms").first(), pl.col("moment_ms").max(),
        events=pl.col("event").filter(pl.col("event") != "").unique(maintain_order=True),
    )  # fmt: skip
    before = known.rename({
        "amount_e8": "amount_before", "orig_e8": "orig_before", "end_ms": "end_before"
    })  # fmt: skip
    both = now.join(before, on=_KEY, how="full", coalesce=True, nulls_equal=True)
    zero = pl.lit(0, pl.Int64)
    both = both.with_columns(
        fresh=pl.col("seq").is_null(),
        seq=pl.col("seq").fill_null(zero) + 1,
        amount_e8=pl.col("amount_e8").fill_null(zero) - pl.col("amount_before").fill_null(zero),
        orig_e8=pl.col("orig_e8").fill_null(zero) - pl.col("orig_before").fill_null(zero),
        reason=pl.col("reason").cast(pl.Int64).fill_null(zero),
        currency=pl.col("currency").fill_null(""),
        last_day=pl.when(pl.col("moment_ms").is_null()).then("last_day"),
        moment_ms=pl.coalesce("moment_ms", "start_ms"),
        end_ms=pl.coalesce("end_ms", "end_before"),
    )
    kept = both.filter((pl.col("amount_e8") != 0) | pl.col("fresh"))
    return kept.drop("fresh", "amount_before", "orig_before", "end_before").sort(_KEY)


def _shard(run: Run, row: Mapping[str, Any]) -> int:
    """Return what a line is filed under: its payee's tree; 0 = a client's life, or a client."""
    is_tree = row["client_id"] == 0 and row["payee_kind"] == "partner"
    return run.shard(row["payee_id"]) if is_tree else 0


def _causes(run: Run, new: pl.DataFrame, due: Sequence[Due]) -> list[Mapping[str, Any]]:
    """Return what brought each line's difference: what was noted of its tree or client, in its
    window; where nothing was (a window that depends on the one touched), all that was noted."""
    noted: dict[tuple[int, int], list[Due]] = {}
    for one in due:
        noted.setdefault((one.shard, one.client_id), []).append(one)
    every = merged(one.causes for one in due)
    causes: list[Mapping[str, Any]] = []
    for row in new.iter_rows(named=True):
        mine = [
            one.causes for one in noted.get((_shard(run, row), row["client_id"]), ())
            if one.start_ms < row["end_ms"] and row["start_ms"] < one.end_ms
        ]  # fmt: skip
        causes.append(merged([merged(mine) or every, {"events": row["events"] or []}]))
    return causes
