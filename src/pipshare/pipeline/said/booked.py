"""Trades that were booked, as messages: each close, and what each partner earned or gave back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare import outbox
from pipshare.attribution import Attributed, Standing
from pipshare.market import Server
from pipshare.money import format_e8
from pipshare.pipeline.run import Run
from pipshare.pipeline.said.people import (
    Messages,
    Person,
    base,
    moment,
    money,
    named,
    partner_code,
    people,
    wallet_of,
)

TRADE, POSTED, REVERSED = "trade.closed", "commission.posted", "commission.reversed"
_COLUMNS = ("ticket", "revision", "login", "symbol", "lots_e8", "open_ms", "close_utc",
            "open_price_e8", "close_price_e8")  # fmt: skip


@dataclass(frozen=True)
class _Batch:
    """What a booking made: settled trades, whose they are, and the lines that it posted."""

    run: Run
    server: Server
    settled: pl.DataFrame
    who: Attributed
    lines: pl.DataFrame
    seq: Mapping[int, int]

    @property
    def entity_id(self) -> int:
        return self.server.entity_id


def say_booked(
    run: Run, server: Server, settled: pl.DataFrame, who: Attributed,
    standing: npt.NDArray[np.int8], lines: pl.DataFrame, seq: Mapping[int, int], *, fresh: bool,
) -> None:  # fmt: skip
    """Say what a booking made, in its transaction, to those who want to hear it.

    `settled` are the trades, `standing` theirs as booked (history is not said), `lines` what was
    posted: ticket, component, level, partner, amount_e8. `seq` counts the entries of a trade; one
    that has none here, and is not `fresh`, is as it was.
    """
    types = (TRADE, POSTED, REVERSED)
    if not any(run.wanted.by(server.entity_id, one) for one in types):
        return
    introduced = standing == Standing.INTRODUCED
    if not fresh:
        introduced &= np.isin(settled["ticket"].to_numpy(), list(seq))
    batch = _Batch(run, server, settled, who, lines.filter(pl.col("partner") > 0), seq)
    rows = [row for row in np.flatnonzero(introduced).tolist() if _anybody(batch, row)]
    if not rows:
        return
    persons = people(run, sorted({int(who.client_id[row]) for row in rows}))
    earned = _earned(batch)
    said = Messages([])
    for row in rows:
        person = persons.get(int(who.client_id[row]))
        if person is not None:
            _say(batch, row, person, earned.get(int(settled["ticket"][row]), []), said)
    if said.rows:
        outbox.say(run.conn, said.frame())


def _anybody(batch: _Batch, row: int) -> bool:
    """Tell whether a trade's chain has somebody who wants to hear of it."""
    chain = batch.who.chains[int(batch.who.chain[row])]
    for kind in (TRADE, POSTED, REVERSED):
        listeners = batch.run.wanted.by(batch.entity_id, kind)
        if listeners and (listeners.all or not listeners.partner_ids.isdisjoint(chain)):
            return True
    return False


def _earned(batch: _Batch) -> dict[int, list[dict[str, Any]]]:
    """Return what was posted by ticket; what only moved from held to earned comes to nothing."""
    found: dict[int, list[dict[str, Any]]] = {}
    by = ("ticket", "component", "level", "partner")
    lines = batch.lines.group_by(by).agg(pl.col("amount_e8").sum())
    lines = lines.filter(pl.col("amount_e8") != 0)
    for line in lines.sort(by).iter_rows(named=True):
        found.setdefault(line["ticket"], []).append(line)
    return found


def _say(
    batch: _Batch, row: int, person: Person, earned: Sequence[Mapping[str, Any]], said: Messages
) -> None:
    """Add a trade's messages: the trade first, then what its partners earned by it."""
    run, entity_id = batch.run, batch.entity_id
    trade = batch.settled.row(row, named=True)
    name = f"{batch.server.code}/{trade['ticket']}"
    chain = batch.who.chains[int(batch.who.chain[row])]
    data = {**person.data, **base(run, entity_id, chain), **_told(batch.server, trade)}
    at_ms, seq = int(trade["close_utc"]), batch.seq.get(int(trade["ticket"]), 1)
    if run.wanted.by(entity_id, TRADE):
        told = {**data, "earned": _sums(run, earned)} if earned else data
        said.add(entity_id, TRADE, f"{name}/{trade['revision']}", f"trade:{name}", at_ms, told)
    for line in earned:
        kind = POSTED if line["amount_e8"] > 0 else REVERSED
        if run.wanted.by(entity_id, kind):
            told = {**data, **_commission(run, line, data["txid"], seq)}
            key = f"{name}/{seq}/{line['component']}/{line['level']}/{line['partner']}"
            said.add(entity_id, kind, key, f"trade:{name}", at_ms, told)


def _told(server: Server, trade: Mapping[str, Any]) -> dict[str, str]:
    """Return what a message says of a trade; an opening that is not known is left out."""
    told = {
        "txid": f"{server.code}-{trade['ticket']}", "server": server.code,
        "login": str(trade["login"]), "ticket": str(trade["ticket"]), "symbol": trade["symbol"],
        "lots": format_e8(trade["lots_e8"]), "close_time": moment(trade["close_utc"]),
        "close_price": format_e8(trade["close_price_e8"]), "revision": str(trade["revision"]),
    }  # fmt: skip
    if trade["open_ms"] > 0:
        opened = server.to_utc(np.array([trade["open_ms"]], np.int64))
        told["open_time"] = moment(int(opened[0]))
        told["open_price"] = format_e8(trade["open_price_e8"])
    return told


def _sums(run: Run, earned: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return what each partner earned by a trade, all components together."""
    totals: dict[int, int] = {}
    for line in earned:
        totals[line["partner"]] = totals.get(line["partner"], 0) + line["amount_e8"]
    return {
        partner_code(run, one): money(total, wallet_of(run, one)) for one, total in totals.items()
    }


def _commission(run: Run, line: Mapping[str, Any], trade: str, seq: int) -> dict[str, Any]:
    """Return what a message says of one line: its partner is the one who earned."""
    code, amount = partner_code(run, line["partner"]), line["amount_e8"]
    component = component_code(run, line["component"])
    told = money(amount, wallet_of(run, line["partner"]))
    return {"partner": code, "component": component, "earned": {code: told}, **told,
            **named(f"{trade}-{component}-{code}", seq)}  # fmt: skip


def component_code(run: Run, number: int) -> str:
    """Return the code of a programme's component."""
    for version in run.book.versions:
        for one, component in zip(version.component_ids, version.programme.components, strict=True):
            if one == number:
                return component.code
    return str(number)
