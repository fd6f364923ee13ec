"""The rows of a partners file, checked against each other and against who is known.

Pure. Every row that remains names a partner who exists or is made by this load; rows that are
wrong are refused by line, and with a new partner those who were to stand below him.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipshare.facts import Refusal
from pipshare.partners.wording import RESERVED, ROOT, Hints, lines

Key = tuple[int, str]  # entity id, code
Row = dict[str, Any]
SAID = ("name", "parent", "currency", "status", "own_client", "go_live")


@dataclass
class Known:
    """What is known of a partner before the load."""

    id: int
    name: str
    currency: str
    own_client_id: int | None
    go_live_ms: int | None


@dataclass
class Checked:
    """Rows that stand so far, in order of partner and moment, and what became of the others."""

    rows: list[Row]
    known: Mapping[Key, Known]
    refused: list[Refusal] = field(default_factory=list)
    repeated: list[int] = field(default_factory=list)  # lines

    def refuse(self, row: Row, code: str, reason: str) -> None:
        """Refuse a row."""
        self.refused.append(Refusal(row["line"], code, f"line {row['line']}: {reason}"))

    def keep(self, bad: Iterable[int]) -> None:
        """Drop the rows of these lines."""
        lost = set(bad)
        self.rows = [row for row in self.rows if row["line"] not in lost]

    def makes(self) -> dict[Key, Row]:
        """Return the first row of each partner whom this load makes."""
        made: dict[Key, Row] = {}
        for row in self.rows:
            if row["key"] not in self.known:
                made.setdefault(row["key"], row)
        return made


def check_rows(rows: list[Row], known: Mapping[Key, Known], *, may_change: bool) -> Checked:
    """Check rows of SAID, partner, entity, key, own_client_id, start and line.

    `may_change` tells whether a reason and a name were given.
    """
    checked = Checked(sorted(rows, key=lambda r: (r["key"], r["start"], r["line"])), known)
    _repetitions(checked)
    for check in (_words, _own_client, _currency):
        check(checked)
        checked.keep(refusal.line for refusal in checked.refused)
    if not may_change:
        _go_live(checked)
    checked.keep(refusal.line for refusal in checked.refused)
    drop_orphans(checked)
    return checked


def drop_orphans(checked: Checked) -> None:
    """Refuse rows whose parent nobody knows, again and again until none is left."""
    while True:
        made = checked.makes()
        lost = {r.line for r in checked.refused}
        bad = [
            row for row in checked.rows
            if row["parent"] not in (None, ROOT)
            and (key := (row["key"][0], row["parent"])) not in checked.known
            and key not in made
        ]  # fmt: skip
        if not bad:
            return
        hints = Hints(code for _, code in (*checked.known, *made))
        for row in bad:
            checked.refuse(row, "unknown_parent", _parent_unknown(row, hints, lost))
        checked.keep(row["line"] for row in bad)


def _parent_unknown(row: Row, hints: Hints, lost: set[int]) -> str:
    also = " (some rows of this file were refused)" if lost else ""
    return (
        f"parent {row['parent']!r} of {row['partner']} is not known in entity {row['entity']}"
        f"{hints.of(row['parent'])}{also}: add a row for him"
    )


def _repetitions(checked: Checked) -> None:
    spans: dict[tuple[Key, int], list[Row]] = {}
    for row in checked.rows:
        spans.setdefault((row["key"], row["start"]), []).append(row)
    lost = []
    for rows in spans.values():
        if len(rows) == 1:
            continue
        same = all(row[name] == rows[0][name] for row in rows for name in SAID)
        if same:
            checked.repeated += [row["line"] for row in rows[1:]]
            lost += checked.repeated
            continue
        where = lines(row["line"] for row in rows)
        for row in rows:
            text = f"partner {row['partner']} comes twice ({where}) with different content: keep"
            checked.refuse(row, "duplicate", f"{text} one, or give each its own valid_from")
    checked.keep(lost)


def _words(checked: Checked) -> None:
    for row in checked.rows:
        if row["partner"].lower() in RESERVED:
            checked.refuse(row, "reserved_code", f"{row['partner']!r} cannot be a partner's code:"
                           " load files use the word for nobody")  # fmt: skip
        elif row["partner"] == row["parent"]:
            checked.refuse(row, "own_parent", f"partner {row['partner']} cannot be his own parent")


def _own_client(checked: Checked) -> None:
    for row in checked.rows:
        if row["own_client"] is not None and row["own_client_id"] is None:
            checked.refuse(row, "unknown_client", f"own_client {row['own_client']!r} of"
                           f" {row['partner']} is not known in entity {row['entity']}:"
                           " load clients first")  # fmt: skip


def _currency(checked: Checked) -> None:
    first: dict[Key, str] = {key: one.currency for key, one in checked.known.items()}
    for row in checked.rows:
        told = row["currency"]
        held = first.setdefault(row["key"], told or "USD")
        if told is not None and told != held:
            checked.refuse(row, "wallet_currency", f"partner {row['partner']} has a wallet in"
                           f" {held}, and balances exist in it: it cannot become {told}; make a"
                           f" partner with another code for {told}")  # fmt: skip


def _go_live(checked: Checked) -> None:
    for row in checked.rows:
        one = checked.known.get(row["key"])
        if one and row["go_live"] is not None and row["go_live"] != one.go_live_ms:
            checked.refuse(row, "needs_second_person", f"the go-live of partner {row['partner']}"
                           " changes what is booked: give --reason and --by; it is then proposed,"
                           " and takes effect when a second person approves it")  # fmt: skip
