"""Settle what CRMs sent: clients, their accounts and events, whose they are, partners of theirs.

Everything due is taken off the queue and worked off in one transaction with what follows from it
(taking.py). The same again changes nothing, in whatever order. A payload that makes settling fail
costs the others nothing: it is taken off with a problem, and can be replayed.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from pipshare import db, inbox
from pipshare.crm import mapping_of
from pipshare.errors import BadInput
from pipshare.inbox import DuePayload, WaitingItem
from pipshare.pipeline.crm.bodies import judgement_of
from pipshare.pipeline.crm.currencies import known_currencies
from pipshare.pipeline.crm.judge import PROBLEM, Item
from pipshare.pipeline.crm.rows import Row, row_of
from pipshare.pipeline.crm.taking import take_rows
from pipshare.pipeline.run import Run

AT_ONCE = 1_000  # payloads, at most, in one transaction
_FAILED = (
    "settling it failed ({}): a fault of pipshare, not of the sender; nothing of it was taken, and"
    " it can be replayed when the fault is mended"
)
_log = logging.getLogger("pipshare.crm")


def settle_payloads(run: Run) -> bool:
    """Settle what is due, and what waited for somebody known by now; tell whether anything was.

    Commits, also what the caller's transaction had open. Books nothing: what follows from new
    relations and events is taken up by `to_rest`.
    """
    run.conn.commit()  # a booking must not be open: what is settled here is watched
    found = False
    while _settle_due(run.conn) or _settle_ready(run.conn):
        run.conn.commit()
        found = True
    run.conn.commit()
    return found


def settle_one(conn: psycopg.Connection[Any], payload_id: str) -> None:
    """Settle one payload at once, in the caller's transaction: its sender waits for the outcome."""
    due = inbox.take_due_payloads(conn, 1, payload_id)
    if due:
        take_rows(conn, _rows_of(conn, due))


def _settle_due(conn: psycopg.Connection[Any]) -> bool:
    due = inbox.take_due_payloads(conn, AT_ONCE)
    if not due:
        return False
    try:
        take_rows(conn, _rows_of(conn, due))
    except Exception as error:
        if db.is_passing(error):
            raise
        conn.rollback()
        # The error itself may quote a payload, so only its name is told.
        _log.error("settling %d payloads failed: %s", len(due), type(error).__name__)
        for one in due:
            _settle_alone(conn, one.id)
    return True


def _settle_alone(conn: psycopg.Connection[Any], payload_id: str) -> None:
    """Settle one payload in its own transaction; where it fails, take it off with a problem."""
    try:
        settle_one(conn, payload_id)
    except Exception as error:
        if db.is_passing(error):
            raise
        conn.rollback()
        _log.error("settling payload %s failed: %s", payload_id, type(error).__name__)
        due = inbox.take_due_payloads(conn, 1, payload_id)
        endpoints = inbox.endpoints_by_id(conn, [one.endpoint_id for one in due])
        sentence = _FAILED.format(type(error).__name__)
        take_rows(conn, [
            Row(one.id, one.run, endpoints[one.endpoint_id],
                Item(0, PROBLEM, code="settling_failed", sentence=sentence))
            for one in due
        ])  # fmt: skip
    conn.commit()


def _settle_ready(conn: psycopg.Connection[Any]) -> bool:
    ready = inbox.take_ready_items(conn, AT_ONCE)
    if ready:
        numbers = sorted({int(one.told["endpoint"]) for one in ready})
        endpoints = inbox.endpoints_by_id(conn, numbers)
        try:
            take_rows(conn, [row_of(one, endpoints) for one in ready])
        except Exception as error:
            if db.is_passing(error):
                raise
            conn.rollback()
            _log.error("settling %d items that waited failed: %s", len(ready), type(error).__name__)
            for one in ready:
                _ready_alone(conn, one, row_of(one, endpoints))
    return bool(ready)


def _ready_alone(conn: psycopg.Connection[Any], one: WaitingItem, row: Row) -> None:
    """Settle an item that waited by itself; where it fails, it waits no longer, with a problem."""
    try:
        inbox.forget_item(conn, one)
        take_rows(conn, [row])
    except Exception as error:
        if db.is_passing(error):
            raise
        conn.rollback()
        inbox.forget_item(conn, one)
        failed = Item(row.item.item, PROBLEM, code="settling_failed",
                      sentence=_FAILED.format(type(error).__name__))  # fmt: skip
        take_rows(conn, [replace(row, item=failed, told=[])])
    conn.commit()


def _rows_of(conn: psycopg.Connection[Any], due: Sequence[DuePayload]) -> list[Row]:
    """Return the items of payloads, judged at the door or, by the mapping that holds, here."""
    inbox.forget_waiting(conn, [one.id for one in due if one.run > 1])
    endpoints = inbox.endpoints_by_id(conn, sorted({one.endpoint_id for one in due}))
    mappings: dict[int, tuple[int, Any]] = {}
    for number in endpoints:
        version = inbox.published(conn, number)
        with contextlib.suppress(BadInput):  # published by a version that read other mappings
            if version is not None:
                mappings[number] = version.version, mapping_of(version.mapping)
    knows = known_currencies(conn)
    rows = []
    for one in due:
        endpoint = endpoints[one.endpoint_id]
        judged = judgement_of(one, endpoint, mappings.get(endpoint.id), knows)
        rows += [Row(one.id, one.run, endpoint, item) for item in judged.items]
    return rows
