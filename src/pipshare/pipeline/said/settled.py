"""What windows came to, as messages: what partners earned by tiers, CPA, months; or gave back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipshare import outbox
from pipshare.period import broker_days, day_to_date
from pipshare.pipeline.run import Run
from pipshare.pipeline.said.booked import POSTED, REVERSED
from pipshare.pipeline.said.people import (
    Messages,
    Person,
    base,
    money,
    named,
    partner_code,
    people,
    wallet_of,
)

_WHOSE = ("start_ms", "client_id", "payee_id")


def say_settled(
    run: Run, entity_id: int, component: int, code: str, posted: pl.DataFrame, known: pl.DataFrame
) -> None:
    """Say what settling windows posted, in its transaction, to those who want to hear it.

    `posted` has a row per line: seq, start_ms, client_id (0 = of no single client), level,
    payee_kind, payee_id, account, amount_e8 (the difference), moment_ms. `known` is what stood
    booked before, with the same key and the last seq.
    """
    wanted = [run.wanted.by(entity_id, one) for one in (POSTED, REVERSED)]
    if not any(wanted):
        return
    lines = _netted(posted, known)
    if not any(one.all for one in wanted):
        hearing = set().union(*(one.partner_ids for one in wanted))
        lines = lines.filter(pl.col("payee_id").is_in(list(hearing)))
    persons = people(run, sorted(set(lines["client_id"].to_list()) - {0}))
    said = Messages([])
    for line in lines.iter_rows(named=True):
        kind = POSTED if line["amount_e8"] > 0 else REVERSED
        if run.wanted.by(entity_id, kind):
            _say(run, entity_id, (component, code), line, persons.get(line["client_id"]), said)
    if said.rows:
        outbox.say(run.conn, said.frame())


def _netted(posted: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return what each partner earned or lost by a window; what only moved from held to earned
    comes to nothing. `number` counts a window's news for a partner: it never comes twice."""
    partners = pl.col("payee_kind") == "partner"
    before = known.filter(partners).group_by(_WHOSE).agg(before=pl.col("seq").sum())
    lines = posted.filter(partners).group_by(_WHOSE, maintain_order=True).agg(
        pl.col("amount_e8").sum(), pl.col("moment_ms").max()
    )  # fmt: skip
    lines = lines.join(before, on=_WHOSE, how="left", maintain_order="left")
    number = pl.col("before").fill_null(0).cast(pl.Int64) + 1
    return lines.filter(pl.col("amount_e8") != 0).with_columns(number=number)


def _say(
    run: Run, entity_id: int, component: tuple[int, str], line: Mapping[str, Any],
    person: Person | None, said: Messages,
) -> None:  # fmt: skip
    number, code = component
    payee = partner_code(run, line["payee_id"])
    day = day_to_date(int(broker_days(pl.Series([line["start_ms"]]).to_numpy(),
                                      run.clock(entity_id))[0]))  # fmt: skip
    told = money(line["amount_e8"], wallet_of(run, line["payee_id"]))
    whose = person.data if person is not None else base(run, entity_id, ())
    key = f"{line['start_ms']}/{line['client_id']}/{line['payee_id']}/{line['number']}"
    of = person.code if person is not None else day.isoformat()
    data = {
        **whose, "partner": payee, "component": code, "period": day.isoformat(),
        "earned": {payee: told}, **told, **named(f"{code}-{of}-{payee}", line["number"]),
    }  # fmt: skip
    subject = f"client:{whose['entity']}/{person.code}" if person else f"partner:{payee}"
    kind = POSTED if line["amount_e8"] > 0 else REVERSED
    said.add(entity_id, kind, f"{number}/{key}", subject, line["moment_ms"], data)
