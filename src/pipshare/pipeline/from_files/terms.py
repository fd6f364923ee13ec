"""Plan files and terms as a Book, numbered here instead of in a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipshare.errors import BadInput
from pipshare.partners.wording import hint
from pipshare.period import FOREVER_MS, Clock, flatten
from pipshare.pipeline.from_files.columns import MAIN
from pipshare.pipeline.from_files.people import Gathering
from pipshare.pipeline.from_files.sheets import Refused, decoded
from pipshare.plans import BadPlan, parse, unknown_groups
from pipshare.plans.book import Book, Terms, Version
from pipshare.plans.participants import CARD, NOTHING
from pipshare.plans.read_book import TERMS_SCHEMA, flat_terms
from pipshare.plans.terms import ANY_CARD, Programme
from pipshare.plans.toml_lines import load

Row = Mapping[str, Any]


@dataclass
class Programmes:
    """The programmes of all plan files: their versions, and the file that says each of them.

    `ids` by (entity, code); `components` names the numbers that lines carry, `rules` those of
    rates: (file, component's code, RateRule).
    """

    versions: list[Version] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    component_ids: dict[tuple[int, str], int] = field(default_factory=dict)
    rate_ids: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def only(self) -> str | None:
        """Return the code of the only programme, None when there are several."""
        codes = {code for _, code in self.ids}
        return codes.pop() if len(codes) == 1 else None


def read_plans(paths: Sequence[Path], clocks: Mapping[str, Clock]) -> Programmes:
    """Read plan files; several of one programme are its versions, by their valid_from."""
    found = Programmes()
    parsed = []
    for path in paths:
        text = decoded(path)
        clock = clocks.get(_entity(text, str(path)), clocks[""])
        parsed.append((parse(text, str(path), clock), str(path)))
    for programme, file in sorted(parsed, key=lambda one: one[0].valid_from_ms):
        _add(found, programme, file)
    return found


def check_groups(programmes: Programmes, groups: Iterable[str]) -> None:
    """Refuse plans with rates for a symbol group that no symbol has, where symbols are told."""
    known = list(groups)
    for version, file in zip(programmes.versions, programmes.files, strict=True):
        refused = unknown_groups(version.programme, known)
        if refused:
            raise BadPlan(file, refused)


def _add(found: Programmes, programme: Programme, file: str) -> None:
    key = (programme.entity, programme.code)
    number = found.ids.setdefault(key, len(found.ids) + 1)
    before = [v for v in found.versions if v.programme_id == number]
    for version, other in zip(found.versions, found.files, strict=True):
        if version in before and version.valid_from_ms == programme.valid_from_ms:
            why = f"{other} tells of programme {programme.code} from the same moment on"
            raise BadInput("plan_twice", f"{file}: {why}: give one of the two another valid_from")
    place = len(found.versions)
    components, rates = [], []
    for c, component in enumerate(programme.components):
        id_ = found.component_ids.setdefault((number, component.code), len(found.component_ids) + 1)
        components.append(id_)
        first = len(found.rate_ids) + 1
        for r in range(len(component.rates)):
            found.rate_ids[first + r] = (place, c, r)
        rates.append(tuple(range(first, first + len(component.rates))))
    found.versions.append(Version(place + 1, number, len(before) + 1, programme.valid_from_ms,
                                  programme, tuple(components), tuple(rates)))  # fmt: skip
    found.files.append(file)


def _entity(text: str, filename: str) -> str:
    """The entity is wanted before parsing: its day decides when a date begins."""
    head = load(text, filename)[0].get("programme")
    return str(head.get("entity", MAIN) if isinstance(head, dict) else MAIN).strip()


def _cards(programme: Programme) -> set[str]:
    """Return the cards that do anything; `standard` needs nothing of its own beside any card."""
    cards = {rate.card for component in programme.components for rate in component.rates}
    cards |= {split.card for component in programme.components for split in component.splits}
    cards |= {rank for component in programme.components for rank in component.ranks}
    return (cards - {ANY_CARD}) | ({CARD} if ANY_CARD in cards else set())


class TermsReader:
    """Reads rows of terms, and partners' short form of them, into the records of a Book."""

    def __init__(
        self, programmes: Programmes, gathering: Gathering, refused: list[Refused]
    ) -> None:
        self._programmes, self._gathering, self._refused = programmes, gathering, refused
        self._records: list[tuple[int, int, int, str, int, int]] = []
        self._cards = {
            number: set().union(*(
                _cards(v.programme) for v in programmes.versions if v.programme_id == number
            ))
            for number in programmes.ids.values()
        }  # fmt: skip

    def take(self, file: str, place: str, rows: Sequence[Row], *, short: bool = False) -> None:
        """Read rows; `short` = rows of partners, where none of the columns means no terms."""
        for row in rows:
            if short and not row["programme"] and not row["card"]:
                continue
            self._take(file, place, row)

    def _take(self, file: str, place: str, row: Row) -> None:
        entity = row["entity"] or MAIN
        partner = self._gathering.partner(file, place, row, row["partner"], entity)
        if partner is None:
            return
        code = row["programme"] or self._programmes.only() or ""
        if code.casefold() == NOTHING:
            programme, card = 0, CARD
        else:
            programme = self._programmes.ids.get((entity, code), 0)
            if not programme:
                self._refuse(file, place, row, "unknown_programme", self._no_programme(code))
                return
            card = row["card"] or CARD
            if card not in self._cards[programme]:
                known = ", ".join(sorted(self._cards[programme]))
                self._refuse(file, place, row, "unknown_card",
                             f"field card: programme {code} has nothing for the card {card!r}"
                             f"{hint(card, self._cards[programme])}; it has: {known}")  # fmt: skip
                return
        start, end = row["valid_from"] or 0, row.get("valid_to") or FOREVER_MS
        if start >= end:
            why = "field valid_to: has to be later than valid_from"
            self._refuse(file, place, row, "empty_span", why)
            return
        number = len(self._records) + 1
        self._records.append((number, partner, programme, card, start, end))

    def _no_programme(self, code: str) -> str:
        known = sorted(one for _, one in self._programmes.ids)
        near = hint(code, known) or f"; the plan files have: {', '.join(known)}"
        return f"field programme: no programme {code!r}{near}; `none` says: earns nothing"

    def _refuse(self, file: str, place: str, row: Row, code: str, why: str) -> None:
        self._refused.append(
            Refused(file, row["line"], code, f"{file}, {place} {row['line']}, {why}")
        )

    def book(self) -> Book:
        """Return all programmes and terms."""
        records = pl.DataFrame(self._records, schema=TERMS_SCHEMA, orient="row")
        terms = [Terms(number, programme or None, card)
                 for number, _, programme, card, _, _ in self._records]  # fmt: skip
        versions = self._programmes.versions
        subject = np.array([v.programme_id for v in versions], np.int64)
        starts = np.array([v.valid_from_ms for v in versions], np.int64)
        order = np.arange(len(versions), dtype=np.int64)
        ends = np.full_like(starts, FOREVER_MS)
        segments = flatten(subject, starts, ends, order, order)
        return Book(versions, terms, segments, flat_terms(records))
