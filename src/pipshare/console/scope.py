"""Who may see what: the partners that a person is limited to."""

from __future__ import annotations

from typing import Any

import psycopg

from pipshare import partners


def scope_of(conn: psycopg.Connection[Any], user: Any) -> list[int] | None:
    """Return the ids of the partners that `user` may see, None for all.

    Every read function of the rooms takes it. A partner's sign-in is limited to his own subtree;
    one whose partner is gone sees nobody.
    """
    if not user.partner_code:
        return None
    rows = conn.execute(
        "SELECT id FROM partners_partner WHERE code = %s ORDER BY id", (user.partner_code,)
    ).fetchall()
    return [id_ for row in rows[:1] for id_ in partners.subtree(conn, row[0])]
