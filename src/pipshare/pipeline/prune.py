"""Deletes what is old and serves nothing any more: clicks of nobody, attempts, logs, raw bodies.

What goes never decides anything again. What dedupes (messages, accepted postbacks, payloads' ids),
what a client's attribution rests on, and what is not settled stays, however old. Books, events and
trades are not spoken of here: they stay for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import audit, market, partners
from pipshare.db.prune import Old
from pipshare.errors import BadInput
from pipshare.facts.clicks import first_id
from pipshare.inbox import prune as of_inbox
from pipshare.outbox import prune as of_outbox
from pipshare.period import from_ms

DAY_MS = 24 * 3600 * 1000
LEAST_DAYS = 30  # what happened so lately is still looked into
LATE_DAYS = 30  # a registration may be told so much later than it was
_CLAIMED = "SELECT evidence FROM attribution_claim WHERE length(evidence) = 26"
KINDS = {one.name: one for one in (*of_inbox.OLD, *of_outbox.OLD)}


@dataclass(frozen=True)
class Prunable:
    """How many rows of a kind would go; `why_not` when that moment is too late for it."""

    kind: Old
    rows: int
    why_not: str = ""


def prunable(conn: psycopg.Connection[Any], before_ms: int, now_ms: int) -> list[Prunable]:
    """Return for every kind how much of it is older than a moment (UTC ms) and may go."""
    _keep_claimed(conn)
    found = []
    for kind in KINDS.values():
        why_not = too_late(conn, kind.name, before_ms, now_ms)
        rows = 0 if why_not else kind.count(conn, _told(before_ms))
        found.append(Prunable(kind, rows, why_not))
    return found


def too_late(conn: psycopg.Connection[Any], name: str, before_ms: int, now_ms: int) -> str:
    """Return why a kind may not be pruned up to a moment (UTC ms), "" when it may."""
    days, why = LEAST_DAYS, "what happened lately is still looked into"
    if name == "clicks":
        for entity_id, entity in market.entities(conn).items():
            window = partners.tracking_settings(conn, entity_id).window_days
            if not window:
                return f"clicks of entity {entity.code} count for ever: set a window with"\
                       " `pipshare tracking` first"  # fmt: skip
            if window + LATE_DAYS > days:
                days = window + LATE_DAYS
                why = (f"clicks of entity {entity.code} count for {window} days, and what came of"
                       f" them may be told {LATE_DAYS} days later")  # fmt: skip
    if before_ms <= now_ms - days * DAY_MS:
        return ""
    return f"nothing younger than {days} days goes: {why}"


def prune(
    conn: psycopg.Connection[Any], names: Sequence[str], before_ms: int, now_ms: int, by: str
) -> dict[str, int]:
    """Delete what may go of these kinds before a moment (UTC ms); return rows by kind.

    `conn`: of the owner's role, as the application itself may not delete these. Commits as it goes:
    when it is killed, what is left goes the next time. Raises BadInput, before anything is deleted,
    when the moment is too late for one of them.
    """
    for name in names:
        if why_not := too_late(conn, name, before_ms, now_ms):
            raise BadInput("too_late", f"{name}: {why_not}")
    _keep_claimed(conn)
    done = {}
    until = from_ms(before_ms).date().isoformat()
    for name in dict.fromkeys(names):
        done[name] = KINDS[name].prune(conn, _told(before_ms))
        audit.record(conn, by, "pruned", name, detail={"before": until, "rows": done[name]})
        conn.commit()
    return done


def _keep_claimed(conn: psycopg.Connection[Any]) -> None:
    """Keep the clicks that claims rest on: for this session, as their owner may not read claims."""
    conn.execute(of_inbox.KEPT_CLICKS)
    conn.execute(of_inbox.KEEP_CLICKS.format(_CLAIMED))


def _told(before_ms: int) -> dict[str, Any]:
    return {"before_ms": before_ms, "first_click": first_id(max(before_ms, 0))}
