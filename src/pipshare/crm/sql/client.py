"""Reads a replica's tables by key or by moment of change, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from pipshare.crm.polled import Page
from pipshare.crm.sql.config import Config, Table
from pipshare.errors import BadInput


class Door(Protocol):
    """A connection that reads: rows come as texts, whole numbers and None, never as floats."""

    def quoted(self, name: str) -> str:
        """Return a name as it stands in a statement."""
        ...

    def rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run one SELECT with %s for its values. Raises PipshareError that names the fault."""
        ...

    def close(self) -> None:
        """Close the connection; the next `rows` opens one. Never raises."""
        ...


class Replica:
    """A poller; see polled.Poller. The cursor is, of each table, the order of its last row read."""

    def __init__(self, config: Config, door: Door) -> None:
        self.config, self.door, self.poll_s = config, door, float(config.poll_s)

    def fetch(self, cursor: Mapping[str, Any], now_ms: int) -> Iterator[Page]:
        """Yield each table's rows after its mark, and whole tables that are due."""
        held = dict(cursor)
        for number, table in enumerate(self.config.tables, 1):
            for page, state in self._table(table, held.get(table.known_as) or {}, now_ms):
                held = {**held, table.known_as: state}
                more = bool(state["going"]) or number < len(self.config.tables)
                yield Page(f"{table.known_as}/{state['at'][0] if state['at'] else ''}", page, held,
                           more)  # fmt: skip

    def close(self) -> None:
        """Close the connection."""
        self.door.close()

    def _table(
        self, table: Table, state: Mapping[str, Any], now_ms: int
    ) -> Iterator[tuple[bytes, dict[str, Any]]]:
        state = dict(state)
        after: list[Any] = list(state.get("at") or [])
        if not state.get("going"):
            due = now_ms - int(state.get("whole_ms", 0)) >= table.whole_s * 1000
            if table.changed and after:
                after = [_before(after[0], self.config.overlap_s)]
            elif due:
                state["whole_ms"], after = now_ms, []
        while True:
            rows = self.door.rows(*self._statement(table, after))
            wide = len(table.columns)
            if rows:
                after = [_kept(value) for value in rows[-1][wide:]]
                state["at"] = after
            state["going"] = len(rows) == self.config.page
            told = [{"table": table.known_as, "row": dict(zip(table.columns, row, strict=False))}
                    for row in rows]  # fmt: skip
            body = json.dumps(told, ensure_ascii=False, separators=(",", ":")) if told else ""
            yield body.encode(), {"at": after, **state}
            if not state["going"]:
                return

    def _statement(self, table: Table, after: Sequence[Any]) -> tuple[str, list[Any]]:
        q = self.door.quoted
        order = [q(one) for one in table.order]
        where, values = _after(order, after)
        columns = ", ".join([*(q(one) for one in table.columns.values()), *order])
        return (
            f"SELECT {columns} FROM {q(table.name)}{where} ORDER BY {', '.join(order)}"
            f" LIMIT {self.config.page}",
            values,
        )


def _after(order: Sequence[str], after: Sequence[Any]) -> tuple[str, list[Any]]:
    """Return the condition for rows after a mark; a mark of the first column alone is a moment.

    Written out, as databases use an index for that and not for a comparison of rows.
    """
    if not after:
        return "", []
    if len(after) < len(order):
        return f" WHERE {order[0]} >= %s", [after[0]]
    parts, values = [], [after[0]]
    for at, column in enumerate(order):
        same = "".join(f"{one} = %s AND " for one in order[:at])
        parts.append(f"({same}{column} > %s)")
        values += [*after[:at], after[at]]
    return f" WHERE {order[0]} >= %s AND ({' OR '.join(parts)})", values


def _before(mark: Any, overlap_s: int) -> str:
    try:
        moment = datetime.fromisoformat(str(mark))
    except ValueError:
        raise BadInput("bad_setting", f"sql: a column told as \"changed\" holds {str(mark)[:40]!r},"
                                      " which is no moment") from None  # fmt: skip
    return (moment - timedelta(seconds=overlap_s)).isoformat(sep=" ")


def _kept(value: Any) -> Any:
    if value is None:
        raise BadInput("bad_setting", "sql: a column that rows are read by (key, changed) is NULL"
                                      " somewhere: name another")  # fmt: skip
    return value if isinstance(value, int) else str(value)
