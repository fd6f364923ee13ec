"""Hand on what items of payloads say, each to the stage that owns it: clients first, then the rest.

In the caller's transaction, which must not book. What names a client or a partner whom nobody knows
yet waits, item by item; the rest of its payload goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import psycopg

from pipshare import clients, inbox, market
from pipshare.crm import Canonical, canonical
from pipshare.crm.kinds import ACCOUNT, RECORDS, REGISTRATION, UPDATED
from pipshare.inbox import WaitingItem
from pipshare.pipeline.attributing import NOBODY_YET, attribute
from pipshare.pipeline.claims_made import Telling
from pipshare.pipeline.crm.judge import MAPPED, SKIPPED
from pipshare.pipeline.crm.records import OWNERS, take_record
from pipshare.pipeline.crm.rows import (
    NOT_FOLLOWED,
    NOTED,
    PROBLEM,
    PROPOSED,
    REFUSED,
    UNKNOWN_CLIENT,
    UNKNOWN_PARTNER,
    WAITS,
    Row,
)

_ENTITIES = "SELECT code, id FROM market_entity"
_CLIENTS = """
SELECT c.entity_id, c.code, c.id
  FROM unnest(%s::int[], %s::text[]) u (entity_id, code)
  JOIN clients_client c ON c.entity_id = u.entity_id AND c.code = u.code
"""
_REGISTERED = """
SELECT u.id, (
       SELECT min(extract(epoch FROM v.at) * 1000)::bigint FROM clients_event_current v
        WHERE v.entity_id = u.entity_id AND v.client = u.code AND v.kind = 'registration')
  FROM unnest(%s::int[], %s::int[], %s::text[]) u (id, entity_id, code)
"""
_OWNER = "SELECT client_id FROM clients_account_owner WHERE server = %s AND login = %s::bigint"
Key = tuple[int, str]  # entity, client's code


@dataclass
class _Batch:
    """Items being settled together, in the order in which they came."""

    rows: list[Row]
    entities: dict[str, int]
    ids: dict[Key, int] = field(default_factory=dict)
    waiting: list[WaitingItem] = field(default_factory=list)

    def key(self, row: Row) -> Key:
        """Return entity and client of a row."""
        return self.entities[row.entity], row.client

    def wait(self, row: Row, reason: str, key: str) -> None:
        """Let a row wait for somebody."""
        row.told.append((WAITS, reason, key))
        self.waiting.append(row.waiting(len(self.waiting), self.entities[row.entity], reason, key))


def take_rows(conn: psycopg.Connection[Any], rows: list[Row]) -> None:
    """Take in items of one or many payloads, and write down what became of each."""
    batch = _Batch(rows, dict(conn.execute(_ENTITIES).fetchall()))
    for row in rows:
        if row.item.verdict == SKIPPED:
            row.told.append((SKIPPED, "", row.item.sentence))
        elif row.item.verdict != MAPPED:
            row.told.append((PROBLEM, row.item.code, row.item.sentence))
        elif row.entity not in batch.entities:
            row.told.append((PROBLEM, "unknown_entity", f"there is no entity {row.entity!r}"))
    batch.rows = [row for row in rows if row.item.verdict == MAPPED and row.is_open]
    _take(conn, batch)
    inbox.let_items_wait(conn, batch.waiting)
    inbox.note_items(conn, [line for row in rows for line in row.lines()])
    _alert(conn, rows)
    for code in sorted({row.endpoint.code for row in rows if row.run > 1}):
        if not inbox.payloads(conn, limit=1, endpoint=code, problems=True):
            inbox.resolve_alert(conn, "crm_problem", code)


def _take(conn: psycopg.Connection[Any], batch: _Batch) -> None:
    """Hand each item on to whom it belongs: clients first, as all else is about them."""
    made = canonical(
        [row.placed(place) for place, row in enumerate(batch.rows, 1)],
        clock=market.day_clocks(conn, "events"),
    )
    for problem in made.problems:
        batch.rows[problem.item - 1].told.append((PROBLEM, problem.code, problem.sentence))
    _take_clients(conn, batch, made)
    for row in batch.rows:
        if row.is_open and row.kind in OWNERS:
            outcome, reason, detail = take_record(conn, row)
            if outcome == WAITS:
                batch.wait(row, reason, detail)
            else:
                row.told.append((outcome, reason, detail))
    _take_accounts(conn, batch, made)
    _take_events(conn, batch, made)
    _attribute(conn, batch, made)


def _take_clients(conn: psycopg.Connection[Any], batch: _Batch, made: Canonical) -> None:
    """Make those known who register, and take in what changed of those who are known."""
    registering = _lines(batch, lambda row: row.kind == REGISTRATION and not row.only_claims)
    _load_clients(conn, batch, made, registering)
    _find_clients(conn, batch)
    for row in batch.rows:
        about_client = row.kind in RECORDS and row.kind not in OWNERS and not row.only_claims
        if row.is_open and about_client and batch.key(row) not in batch.ids:
            batch.wait(row, UNKNOWN_CLIENT, row.client)
    _load_clients(conn, batch, made, _lines(batch, lambda row: row.kind == UPDATED))


def _load_clients(
    conn: psycopg.Connection[Any], batch: _Batch, made: Canonical, lines: list[int]
) -> None:
    frame = made.clients.filter(pl.col("line").is_in(lines))
    if not len(frame):
        return
    report = clients.load_clients(conn, frame)
    refused = {one.line for one in report.refused}
    for one in report.refused:
        batch.rows[one.line - 1].told.append((PROBLEM, one.code, _bare(one.reason)))
    for line in lines:
        if line not in refused and batch.rows[line - 1].kind == UPDATED:
            batch.rows[line - 1].told.append((NOTED, "", "what is known of the client was taken"))


def _take_accounts(conn: psycopg.Connection[Any], batch: _Batch, made: Canonical) -> None:
    """Take in accounts; one that belongs to another client is proposed to two people, once."""
    lines = _lines(batch, lambda row: row.kind == ACCOUNT and not row.only_claims)
    proposed = inbox.proposed_before(conn, [batch.rows[line - 1].event for line in lines])
    for by, again in sorted({(batch.rows[line - 1].by, batch.rows[line - 1].event in proposed)
                             for line in lines}):  # fmt: skip
        mine = [line for line in lines if batch.rows[line - 1].by == by
                and (batch.rows[line - 1].event in proposed) == again]  # fmt: skip
        frame = made.accounts.filter(pl.col("line").is_in(mine))
        reason = "" if again else f"{by} says that the account was opened for this client"
        report = clients.load_accounts(conn, frame, by=by, reason=reason)
        refused = {one.line: one for one in report.refused}
        for line in mine:
            row = batch.rows[line - 1]
            if line in refused:
                row.told.append((REFUSED, refused[line].code, _bare(refused[line].reason)))
            elif report.proposed and _is_anothers(conn, batch, row):
                row.told.append((PROPOSED, "other_owner", "the account belongs to another client:"
                                 " two people decide, see `pipshare proposals`"))  # fmt: skip
            else:
                row.told.append((NOTED, "", "the account is known as the client's"))


def _take_events(conn: psycopg.Connection[Any], batch: _Batch, made: Canonical) -> None:
    lines = _lines(batch, lambda row: row.kind not in RECORDS and not row.only_claims)
    for by in sorted({batch.rows[line - 1].by for line in lines}):
        mine = [line for line in lines if batch.rows[line - 1].by == by]
        taken = clients.take_events(conn, made.events.filter(pl.col("line").is_in(mine)), by=by)
        for one in taken.report.refused:
            batch.rows[one.line - 1].told.append((PROBLEM, one.code, _bare(one.reason)))
        for line, verdict, waits in taken.verdicts.iter_rows():
            detail = f"the event waits: {waits}" if waits else ""
            batch.rows[line - 1].told.append((verdict, waits, detail))


def _attribute(conn: psycopg.Connection[Any], batch: _Batch, made: Canonical) -> None:
    """Decide whose clients they are; what names a partner nobody knows waits for him."""
    moments = dict(_moments(made))
    rows: dict[tuple[str, str], Row] = {}
    told = []
    for line, row in enumerate(batch.rows, 1):
        known = batch.ids.get(batch.key(row)) if row.client else None
        if not row.item.claims or not row.is_open or known is None or line not in moments:
            continue
        claims = {_NAMED.get(name, name): text for name, text in row.item.claims.items()}
        name = row.event[1]
        told.append(Telling(name, row.by, batch.key(row)[0], row.entity, known, row.client,
                            moments[line], row.kind == REGISTRATION, **claims))  # fmt: skip
        rows[row.by, name] = row
    replayed = {who for who, row in rows.items() if row.run > 1}  # their waits were forgotten
    for who, outcomes in attribute(conn, told, _registered(conn, told), replayed).items():
        row = rows[who]
        for outcome, reason, detail in outcomes:
            if outcome == REFUSED:
                outcome = WAITS if reason == NOBODY_YET[0] else NOT_FOLLOWED
            row.told.append((outcome, reason, detail))
        if any(reason == NOBODY_YET[0] for _, reason, _ in outcomes):
            code = next(code for name in _CODES if (code := row.item.claims.get(name)))
            batch.waiting.append(
                row.waiting(len(batch.waiting), batch.key(row)[0], UNKNOWN_PARTNER, code)
            )


def _is_anothers(conn: psycopg.Connection[Any], batch: _Batch, row: Row) -> bool:
    """Tell whether an account belongs to somebody else than the one who is said to have it."""
    asked = (row.item.fields.get("server"), row.item.fields.get("login"))
    found = conn.execute(_OWNER, asked).fetchone()
    return found is not None and found[0] != batch.ids[batch.key(row)]


def _alert(conn: psycopg.Connection[Any], rows: Sequence[Row]) -> None:
    """Say for each endpoint what cannot be used; somebody has to mend a mapping, or a payload."""
    bad: dict[str, Row] = {}
    for row in rows:
        if any(outcome in (PROBLEM, REFUSED) for outcome, _, _ in row.told):
            bad.setdefault(row.endpoint.code, row)
    for code, row in bad.items():
        sentence = next(said for out, _, said in row.told if out in (PROBLEM, REFUSED))
        inbox.raise_alert(conn, "crm_problem", code, (
            f"endpoint {code}: item {row.item.item} of payload {row.payload_id} cannot be used:"
            f" {sentence[:200]}; `pipshare crm log --endpoint {code} --problems` lists all, mend"
            " the mapping and `pipshare crm replay`"
        ))  # fmt: skip


_NAMED = {"click_id": "click"}
_CODES = ("crm_field", "partner_code", "tag_partner", "tag", "link")


def _moments(made: Canonical) -> list[tuple[int, int]]:
    """Return line and moment (UTC ms) of all that has one."""
    pairs = list(made.events.select("line", "at").iter_rows())
    for frame in (made.clients, made.accounts):
        pairs += frame.filter(pl.col("valid_from").is_not_null()).select(
            "line", "valid_from").iter_rows()  # fmt: skip
    return pairs


def _lines(batch: _Batch, wanted: Callable[[Row], bool]) -> list[int]:
    """Return the places of open rows that are wanted."""
    return [line for line, row in enumerate(batch.rows, 1) if row.is_open and wanted(row)]


def _find_clients(conn: psycopg.Connection[Any], batch: _Batch) -> None:
    keys = sorted({batch.key(row) for row in batch.rows if row.client})
    if not keys:
        return
    columns = [list(column) for column in zip(*keys, strict=True)]
    for entity, code, number in conn.execute(_CLIENTS, columns).fetchall():
        batch.ids[entity, code] = number


def _registered(conn: psycopg.Connection[Any], told: Sequence[Telling]) -> dict[int, int]:
    """Return when those who are claimed registered (UTC ms), those of this batch included."""
    keys = sorted({(one.client_id, one.entity_id, one.client) for one in told})
    if not keys:
        return {}
    columns = [list(column) for column in zip(*keys, strict=True)]
    rows = conn.execute(_REGISTERED, columns).fetchall()
    return {number: at for number, at in rows if at is not None}


def _bare(reason: str) -> str:
    """Return a reader's sentence without the number of the line, which means nothing here."""
    head, comma, rest = reason.partition(", ")
    return rest if comma and head.startswith(("line ", "record ", "item ")) else reason
