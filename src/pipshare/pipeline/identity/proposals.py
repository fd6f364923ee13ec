"""Proposals that a CRM's word made: how they stand, and taking back what is no longer wanted."""

from __future__ import annotations

from typing import Any

import psycopg

from pipshare import audit


def decided(conn: psycopg.Connection[Any], proposal: int | None) -> bool | None:
    """Return what a second person decided, None while nobody has."""
    return None if proposal is None else audit.proposal(conn, proposal).approved


def withdraw(conn: psycopg.Connection[Any], proposal: int | None) -> None:
    """Take a proposal back that still waits, in the name of who made it."""
    if proposal is None:
        return
    found = audit.proposal(conn, proposal)
    if found.decided_by is None:
        audit.reject(conn, proposal, found.proposed_by)
