"""Partners, clients and terms of a tree file, numbered: what the kernels take instead of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from pipshare.errors import BadInput
from pipshare.partners.faults import tree_faults
from pipshare.partners.info import STATUSES, PartnerInfo
from pipshare.partners.wording import DIRECT, ROOT, hint
from pipshare.period import FOREVER_MS
from pipshare.pipeline.from_files.columns import MAIN
from pipshare.pipeline.from_files.sheets import Refused

Row = Mapping[str, Any]
Key = tuple[str, str]  # entity, code
_RELATION = dict.fromkeys(("subject", "above", "start", "end", "id"), pl.Int64)
NOBODY = 0


@dataclass
class People:
    """Everybody named, by (entity, code), and who stood above whom when.

    `parents` and `relations` are records (subject, above or NOBODY, start, end) in the order told.
    """

    partners: dict[Key, int] = field(default_factory=dict)
    clients: dict[Key, int] = field(default_factory=dict)
    currency: dict[int, str] = field(default_factory=dict)
    go_live: dict[int, int] = field(default_factory=dict)
    own_client: dict[int, int] = field(default_factory=dict)
    country: dict[int, str] = field(default_factory=dict)
    status: list[tuple[int, int, str]] = field(default_factory=list)
    parents: list[tuple[int, int, int, int]] = field(default_factory=list)
    relations: list[tuple[int, int, int, int]] = field(default_factory=list)

    def client(self, entity: str, code: str) -> int:
        """Return a client's number; a name not heard before is a client nobody introduced yet."""
        return self.clients.setdefault((entity, code), len(self.clients) + 1)

    def info(self, entities: Mapping[str, int]) -> PartnerInfo:
        """Return the partners as rating takes them."""
        currencies = sorted(set(self.currency.values()))
        ids = list(self.partners.values())
        said = sorted((who, start, STATUSES.index(word)) for who, start, word in self.status)
        table = np.array(said, np.int64).reshape(-1, 3)
        return PartnerInfo(
            ids=np.array(ids, np.int64),
            codes=tuple(code for _, code in self.partners),
            entity=np.array([entities[entity] for entity, _ in self.partners], np.int64),
            currency=np.array([currencies.index(self.currency[i]) for i in ids], np.int32),
            currencies=tuple(currencies),
            own_client=np.array([self.own_client.get(i, -1) for i in ids], np.int64),
            go_live_ms=np.array([self.go_live.get(i, 0) for i in ids], np.int64),
            status=(table[:, 0], table[:, 1], table[:, 2]),
        )

    def frame(self, records: list[tuple[int, int, int, int]]) -> pl.DataFrame:
        """Return records of relations as attribution takes them."""
        rows = [(*record, number) for number, record in enumerate(records, 1)]
        return pl.DataFrame(rows, schema=_RELATION, orient="row")


class Gathering:
    """Reads the rows of the tables partners, clients and relations into People, or refuses them."""

    def __init__(self, entities: Mapping[str, int], refused: list[Refused]) -> None:
        self.people = People()
        self._entities, self._refused = entities, refused

    def partners(self, file: str, place: str, rows: list[Row]) -> None:
        """Take in the table of partners: all codes first, as a parent may stand further down."""
        kept = [row for row in rows if self._known_entity(file, place, row)]
        for row in kept:
            key = (row["entity"] or MAIN, row["partner"])
            who = self.people.partners.setdefault(key, len(self.people.partners) + 1)
            self._of_partner(file, place, row, who)
        for row in kept:
            if row["parent"]:
                entity = row["entity"] or MAIN
                below = self.people.partners[entity, row["partner"]]
                self._above(file, place, row, "parent", below, entity, self.people.parents, ROOT)
        self._check_tree(file)

    def _of_partner(self, file: str, place: str, row: Row, who: int) -> None:
        people, start = self.people, row["valid_from"] or 0
        told = row["currency"]
        if told and people.currency.get(who, told) != told:
            self._refuse(file, place, row, "other_currency",
                         f"partner {row['partner']} has the wallet {people.currency[who]} already;"
                         " a wallet's currency is for good")  # fmt: skip
            return
        people.currency[who] = told or people.currency.get(who, "USD")
        if row["status"]:
            people.status.append((who, start, row["status"]))
        if row["go_live"] is not None:
            people.go_live[who] = row["go_live"]
        if row["own_client"]:
            people.own_client[who] = people.client(row["entity"] or MAIN, row["own_client"])

    def clients(self, file: str, place: str, rows: list[Row]) -> None:
        """Take in the table of clients."""
        for row in rows:
            if not self._known_entity(file, place, row):
                continue
            entity = row["entity"] or MAIN
            who = self.people.client(entity, row["client"])
            if row["country"]:
                self.people.country[who] = row["country"].upper()
            if row["partner"]:
                told = self.people.relations
                self._above(file, place, row, "partner", who, entity, told, DIRECT)

    def relations(self, file: str, place: str, rows: list[Row]) -> None:
        """Take in the table of relations; without a kind, a partner's code is a partner's."""
        for row in rows:
            if not self._known_entity(file, place, row):
                continue
            entity = row["entity"] or MAIN
            key = (entity, row["code"])
            kind = row["kind"] or ("partner" if key in self.people.partners else "client")
            if kind == "client":
                who = self.people.client(*key)
                told = self.people.relations
                self._above(file, place, row, "partner", who, entity, told, DIRECT)
            elif key in self.people.partners:
                who, told = self.people.partners[key], self.people.parents
                self._above(file, place, row, "partner", who, entity, told, ROOT)
            else:
                self._unknown(file, place, row, "code", row["code"], entity)
        self._check_tree(file)

    def partner(self, file: str, place: str, row: Row, code: str, entity: str) -> int | None:
        """Return the number of a partner named in a row, or refuse the row."""
        found = self.people.partners.get((entity, code))
        if found is None:
            self._unknown(file, place, row, "partner", code, entity)
        return found

    def _above(
        self, file: str, place: str, row: Row, name: str, below: int, entity: str,
        told: list[tuple[int, int, int, int]], nobody: str,
    ) -> None:  # fmt: skip
        code = row[name]
        if code.casefold() == nobody:
            above = NOBODY
        elif (entity, code) in self.people.partners:
            above = self.people.partners[entity, code]
        else:
            self._unknown(file, place, row, name, code, entity)
            return
        start, end = row["valid_from"] or 0, row.get("valid_to") or FOREVER_MS
        if start >= end:
            self._refuse(file, place, row, "empty_span",
                         "field valid_to: has to be later than valid_from")  # fmt: skip
            return
        told.append((below, above, start, end))

    def _check_tree(self, file: str) -> None:
        """Refuse a file whose partners stand in a circle, or too deep: nothing could be rated."""
        if not self.people.parents:
            return
        who, above, start, end = (np.array(c, np.int64) for c in zip(*self.people.parents,
                                                                     strict=True))  # fmt: skip
        order = np.arange(len(who), dtype=np.int64)
        for fault in tree_faults(who, np.where(above == NOBODY, -1, above), start, end, order)[:1]:
            names = {number: code for (_, code), number in self.people.partners.items()}
            chain = " under ".join(names[node] for node in fault.nodes)
            what = "a circle of partners" if fault.cycle else "partners more than 64 levels deep"
            raise BadInput("bad_tree", f"{file}: {what}: {chain}")

    def _known_entity(self, file: str, place: str, row: Row) -> bool:
        entity = row["entity"] or MAIN
        if entity in self._entities:
            return True
        self._refuse(file, place, row, "unknown_entity",
                     f"field entity: {entity!r} is not known{hint(entity, self._entities)}:"
                     " add it to the table entities")  # fmt: skip
        return False

    def _unknown(self, file: str, place: str, row: Row, name: str, code: str, entity: str) -> None:
        known = [one for where, one in self.people.partners if where == entity]
        self._refuse(file, place, row, "unknown_partner",
                     f"field {name}: no partner {code!r}{hint(code, known)}:"
                     " add him to the table partners")  # fmt: skip

    def _refuse(self, file: str, place: str, row: Row, code: str, why: str) -> None:
        self._refused.append(
            Refused(file, row["line"], code, f"{file}, {place} {row['line']}, {why}")
        )


def rows_of(frame: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Return the rows of a typed frame, one mapping each."""
    return frame.iter_rows(named=True)
