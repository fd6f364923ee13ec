"""Run the plans of two sides over stored trades, and sum what either says."""

from __future__ import annotations

import polars as pl

from pipshare import partners
from pipshare.pipeline.run import Run
from pipshare.pipeline.simulate.answer import Answer, Margin, Side, partner_rows
from pipshare.pipeline.simulate.lines import Chunk, chunks
from pipshare.pipeline.simulate.margin import Revenue, in_currency
from pipshare.pipeline.simulate.question import Question, asking_for_all, sides_of
from pipshare.pipeline.simulate.windows import window_lines


def simulate(run: Run, asked: Question, partner: str | None = None) -> Answer:
    """Answer a what-if. Writes nothing: `run.conn` may be in a read-only transaction.

    `partner`: only his amounts are told (the trades are all of them, as tiers may need them).
    Raises BadPlan, BadInput or Missing for what cannot be asked.
    """
    only = None if partner is None else partners.partner(run.conn, partner).id
    now, then, notes = sides_of(run, asked)
    both = [(now, Side()), (then, Side())]
    counted = {"trades": 0, "introduced": 0}
    margins = []
    for entity_id in sorted({one.entity_id for one in now.servers.values()}):
        revenue = Revenue()
        _rate_trades(run, asked, entity_id, both, revenue, counted)
        for looking, side in both:
            _settle(looking, asked, entity_id, side)
        entity = run.entities[entity_id]
        margins.append(Margin(
            entity.code, entity.currency, revenue.e8, both[0][1].paid_e8[entity_id],
            both[1][1].paid_e8[entity_id], dict(revenue.unknown),
        ))  # fmt: skip
    codes = dict(zip(run.partners.ids.tolist(), run.partners.codes, strict=True))
    one, other = (_only(side, only) for _, side in both)
    rows = partner_rows(one, other, codes)
    return Answer(counted["trades"], counted["introduced"], rows, one, other, margins, notes)


def _rate_trades(
    run: Run, asked: Question, entity_id: int, both: list[tuple[Run, Side]], revenue: Revenue,
    counted: dict[str, int],
) -> None:  # fmt: skip
    now, then = both[0][0], both[1][0]
    asking = asking_for_all(now, then)
    currency, span = run.entities[entity_id].currency, asked.span(run, entity_id)
    for server in now.servers.values():
        if server.entity_id != entity_id:
            continue
        for chunk in chunks([now, then], asking, server, span):
            counted["trades"] += len(chunk.frame)
            counted["introduced"] += len(chunk.placed)
            revenue.add(chunk.placed, asking, currency)
            for place, (looking, side) in enumerate(both):
                _add(looking, side, chunk, place, entity_id, currency)


def _add(run: Run, side: Side, chunk: Chunk, place: int, entity_id: int, currency: str) -> None:
    rated = chunk.rated[place]
    lines = chunk.lines(place)
    side.add_lines(lines)
    side.add_waits(rated.waits["reason"])
    if rated.guarded is not None:
        for action, count in rated.guarded["action"].value_counts().iter_rows():
            side.guarded[action] += count
    _pay(run, side, lines, entity_id, currency)


def _settle(run: Run, asked: Question, entity_id: int, side: Side) -> None:
    """Add what builds up over windows."""
    currency, span = run.entities[entity_id].currency, asked.span(run, entity_id)
    for lines, reasons in window_lines(run, entity_id, span):
        side.add_lines(lines)
        side.add_waits(reasons)
        _pay(run, side, lines, entity_id, currency)


def _pay(run: Run, side: Side, lines: pl.DataFrame, entity_id: int, currency: str) -> None:
    paid, lost = in_currency(
        run, lines["wallet"], lines["amount_e8"].to_numpy(), lines["moment_ms"].to_numpy(), currency
    )
    side.paid_e8[entity_id] += paid
    side.unconverted += lost


def _only(side: Side, partner_id: int | None) -> Side:
    if partner_id is not None:
        for payee in list(side.amounts):
            if payee[0] != partner_id:
                del side.amounts[payee]
    return side
