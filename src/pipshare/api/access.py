"""Who calls: the key of `Authorization: Bearer ...`, what it may do, and what it may see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from django.http import HttpRequest
from ninja.security import HttpBearer

from pipshare import partners
from pipshare.api.problems import Problem
from pipshare.api.sent import read_body
from pipshare.people.keys import SCOPES, Key, find_key, note_use
from pipshare.web import writing


class KeyAccess(HttpBearer):
    """Lets in who shows a key that is in use and has the scope."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Any:
        """Find the key, then read the body: of nobody else anything is read.

        Raises Problem 401 without a valid key, 403 without the scope, and as read_body does.
        """
        header = request.headers.get("Authorization", "")
        kind, _, secret = header.partition(" ")
        key = self.authenticate(request, secret.strip()) if kind.lower() == "bearer" else None
        if key is None:
            raise Problem(
                401,
                "no_key",
                "Send a key that is in use: `Authorization: Bearer KEY`."
                " An administrator makes one with `pipshare key add`.",
            )
        if self.scope not in key.scopes:
            raise Problem(403, "no_scope", f"This key may {', '.join(key.scopes)}; this needs"
                                           f" {self.scope}: {SCOPES[self.scope]}.")  # fmt: skip
        read_body(request)
        return key

    def authenticate(self, request: HttpRequest, token: str) -> Key | None:
        """Return the key behind a secret, None for an unknown or revoked one."""
        with writing() as conn:
            key = find_key(conn, token)
            if key is not None:
                note_use(conn, key)
            return key


def needs(scope: str) -> Callable[[HttpRequest], Any]:
    """Return the guard of an operation that needs a scope."""
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is no scope of people.keys")
    return KeyAccess(scope)


def key_of(request: HttpRequest) -> Key:
    """Return the key that let this request in."""
    key: Key = request.auth
    return key


def scope_of(conn: psycopg.Connection[Any], key: Key) -> list[int] | None:
    """Return the ids of the partners that a key may see, None for all.

    A key of a partner who is gone sees nobody.
    """
    if not key.partner:
        return None
    rows = conn.execute("SELECT id FROM partners_partner WHERE code = %s", (key.partner,))
    return [id_ for row in rows.fetchall() for id_ in partners.subtree(conn, row[0])]
