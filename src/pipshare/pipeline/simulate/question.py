"""What a what-if is asked: plans for either side, days, servers; and the books that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np

from pipshare import plans
from pipshare.errors import BadInput, Missing
from pipshare.period import FOREVER_MS, Span
from pipshare.pipeline.loads import plan_text
from pipshare.pipeline.run import Run
from pipshare.plans.book import Book, Version
from pipshare.plans.stand_in import stand_in
from pipshare.plans.terms import Component, Programme

DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Question:
    """`plans` stand in on the side "then", `against` on the side "now" (none: as recorded).

    `first` and `last` are days of the broker's own time, both included; None = open. `server`
    restricts the trades as if there were no other server. `before_go_live`: trades that closed
    before a server's go-live, or on one that has none, are taken like all others.
    """

    plans: Sequence[Path]
    against: Sequence[Path] = ()
    first: date | None = None
    last: date | None = None
    server: str | None = None
    before_go_live: bool = False

    def span(self, run: Run, entity_id: int) -> Span:
        """Return the span of the days in an entity's own time, as UTC ms."""
        clock = run.clock(entity_id)
        ends = [0, FOREVER_MS]
        for place, day in ((0, self.first), (1, self.last)):
            if day is not None:
                number = (day - _EPOCH).days + place
                ends[place] = int(clock.to_utc(np.array([number * DAY_MS], np.int64))[0])
        if ends[0] >= ends[1]:
            raise BadInput("bad_span", f"--from {self.first} is after --to {self.last}")
        return Span(*ends)


def sides_of(run: Run, asked: Question) -> tuple[Run, Run, list[str]]:
    """Return runs that only look, by the plans of either side (now, then), and notes of plans."""
    notes: list[str] = []
    books = [_book(run, paths, notes) for paths in (asked.against, asked.plans)]
    now, then = (run.looking(book) for book in books)
    servers = {
        one.id: replace(one, go_live_ms=0) if asked.before_go_live else one
        for one in run.servers.values()
        if asked.server in (None, one.code)
    }
    if not servers:
        known = ", ".join(sorted(one.code for one in run.servers.values()))
        raise Missing("no_server", f"there is no server {asked.server}; known: {known}")
    now.servers = then.servers = servers
    return now, then, notes


def _book(run: Run, paths: Sequence[Path], notes: list[str]) -> Book:
    files: dict[int, list[Programme]] = {}
    for path in paths:
        checked = plans.check(plan_text(path), str(path), run.conn)
        notes += checked.notes
        programme = checked.programme
        row = plans.programme(run.conn, programme.code, programme.entity)
        held = files.setdefault(row.id, [])
        if any(one.valid_from_ms == programme.valid_from_ms for one in held):
            raise BadInput(
                "plan_twice",
                f"{path}: programme {programme.code} is given twice from the same moment on",
            )
        held.append(programme)
    return stand_in(run.book, files) if files else run.book


def asking_for_all(now: Run, then: Run) -> Run:
    """Return a run whose book asks of a trade what either side asks, and the broker's revenue."""
    revenue = Component("revenue", "revenue", "per_level", None, ())
    entity = next(iter(now.entities.values())).code
    programme = Programme("", entity, "", 0, "", 1, "wait", (revenue,))
    wanted = Version(0, 0, 1, 0, programme, (0,), ((),))
    book = Book(
        [*now.book.versions, *then.book.versions, wanted], now.book.terms,
        now.book.version_segments, now.book.terms_segments,
    )  # fmt: skip
    return now.looking(book)
