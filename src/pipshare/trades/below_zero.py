"""Which trades drove their account below zero: the last one before the broker made up for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg

from pipshare.facts import State
from pipshare.market import Server
from pipshare.period import Millis

# A stop-out is compensated at once or by the night's run; what closed earlier was no cause of it.
_LAST = """
SELECT DISTINCT ON (c.login, c.at) t.ticket
  FROM (SELECT DISTINCT login, at FROM clients_event_current
         WHERE kind = 'compensation' AND server = %(server)s
           AND login = ANY(%(logins)s::bigint[])) c
  JOIN trades_current t ON t.server_id = %(id)s AND t.login = c.login
   AND t.state = %(closed)s AND t.close_at <= c.at AND t.close_at > c.at - interval '24 hours'
 ORDER BY c.login, c.at, t.close_at DESC, t.ticket DESC
"""


def drove_below_zero(conn: psycopg.Connection[Any], server: Server, logins: Millis) -> Millis:
    """Return the tickets of the accounts' trades that drove a balance below zero.

    That is an account's last trade within the day before a `compensation` of its balance, as events
    tell it: the platform's own, or the CRM's that name the account.
    """
    asked = {"server": server.code, "id": server.id, "closed": int(State.CLOSED),
             "logins": np.unique(logins).tolist()}  # fmt: skip
    return np.array([row[0] for row in conn.execute(_LAST, asked)], np.int64)
