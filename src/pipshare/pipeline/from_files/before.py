"""What was before the first trade of the files: earnings, balances carried, what was paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipshare.errors import BadInput
from pipshare.partners.wording import hint
from pipshare.period import Clock, month_span
from pipshare.pipeline.from_files.columns import MAIN
from pipshare.pipeline.from_files.people import People
from pipshare.pipeline.from_files.places import Refuser
from pipshare.rating.windows.given import HISTORY


@dataclass
class Before:
    """`rows` as rating.windows.given.HISTORY; `unpaid_e8` by (partner's code, currency): what was
    carried below the minimum payout, less what was paid in advance of it."""

    rows: list[tuple[int, int, int, str, int]] = field(default_factory=list)
    unpaid_e8: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(
        self, rows: Iterable[Mapping[str, Any]], people: People,
        components: Mapping[tuple[int, str], int], clocks: Mapping[str, Clock], refuse: Refuser,
    ) -> None:  # fmt: skip
        """Take in the table of histories."""
        for row in rows:
            entity = row["entity"] or MAIN
            partner = people.partners.get((entity, row["partner"]))
            if partner is None:
                near = hint(row["partner"], [code for _, code in people.partners])
                refuse(row, "unknown_partner",
                       f"field partner: no partner {row['partner']!r}{near}")  # fmt: skip
            elif row["kind"] in ("unpaid", "paid"):
                key = (row["partner"], row["currency"] or people.currency[partner])
                amount = -abs(row["amount"]) if row["kind"] == "paid" else row["amount"]
                self.unpaid_e8[key] = self.unpaid_e8.get(key, 0) + amount
            else:
                clock = clocks.get(entity, clocks[""])
                self._of_component(row, partner, components, clock, refuse)

    def _of_component(
        self, row: Mapping[str, Any], partner: int, components: Mapping[tuple[int, str], int],
        clock: Clock, refuse: Refuser,
    ) -> None:  # fmt: skip
        ids = [number for (_, code), number in components.items() if code == row["component"]]
        if not ids:
            known = sorted({code for _, code in components})
            refuse(row, "unknown_component", f"field component: {row['component'] or 'empty'} is in"
                   f" none of the plans; they have: {', '.join(known)}")  # fmt: skip
            return
        try:
            start = month_span(row["period"] or "", clock).start
        except BadInput as error:
            refuse(row, "bad_period", f"field period: {error.message}")
            return
        value = -abs(row["amount"]) if row["kind"] == "carried" else row["amount"]
        self.rows += [(number, partner, start, row["kind"], value) for number in ids]

    def frame(self) -> pl.DataFrame | None:
        """Return what windows are to be settled with; None where there is nothing."""
        return pl.DataFrame(self.rows, schema=HISTORY, orient="row") if self.rows else None
