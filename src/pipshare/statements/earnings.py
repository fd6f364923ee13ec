"""What each partner earned in a period, himself and with everybody below him, as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pipshare import partners
from pipshare.statements.sums import KINDS, accounts, booked

_PEOPLE = """
SELECT p.id, p.code, p.name, p.currency, e.code,
       COALESCE(s.status, 'active')
  FROM partners_partner p
  JOIN market_entity e ON e.id = p.entity_id
  LEFT JOIN (SELECT DISTINCT ON (partner_id) partner_id, status FROM partners_status
              WHERE valid_from <= now() ORDER BY partner_id, valid_from DESC, id DESC) s
         ON s.partner_id = p.id
 WHERE p.id = ANY(%(who)s)
   AND (%(after)s::int IS NULL OR (p.code COLLATE "C", p.id) >
        ((SELECT a.code COLLATE "C" FROM partners_partner a WHERE a.id = %(after)s), %(after)s))
 ORDER BY p.code COLLATE "C", p.id LIMIT %(limit)s
"""
_SEARCH = """
SELECT id FROM partners_partner
 WHERE (code ILIKE %(like)s OR name ILIKE %(like)s)
   AND (%(scope)s::int[] IS NULL OR id = ANY(%(scope)s))
 ORDER BY lower(code) <> lower(%(text)s), code COLLATE "C", id LIMIT %(limit)s
"""
Money = dict[str, int]  # currency -> amount in 1e-8


@dataclass(frozen=True)
class Node:
    """A partner in the tree. `own` and `subtree` (own included) are earned in the period, 1e-8.

    `children` counts those directly below him, `below` everybody below him.
    """

    id: int
    code: str
    name: str
    currency: str
    entity: str
    status: str
    own: Money = field(default_factory=dict)
    subtree: Money = field(default_factory=dict)
    children: int = 0
    below: int = 0


def earned(
    conn: psycopg.Connection[Any], period: str, who: Sequence[int] | None = None
) -> dict[int, Money]:
    """Return what partners (`who`; None = all) earned in a period by wallet currency, in 1e-8."""
    found: dict[int, Money] = {}
    sums = booked(conn, period)
    wanted = None if who is None else set(who)
    known = accounts(conn, (account for account, _ in sums))
    for (id_, kind), amount in sums.items():
        account = known[id_]
        payee = account.payee_id
        is_wanted = wanted is None or payee in wanted
        if account.payee_kind == "partner" and kind in KINDS and is_wanted:
            wallet = found.setdefault(payee, {})
            wallet[account.currency] = wallet.get(account.currency, 0) + amount
    return found


class Tree:
    """The tree as it stands now with a period's earnings, limited to `scope` (None = all).

    Reads who is above whom and the sums once, and may be kept for some seconds; names and statuses
    are read for those that are shown.
    """

    def __init__(
        self, conn: psycopg.Connection[Any], period: str, scope: Sequence[int] | None = None
    ) -> None:
        allowed = None if scope is None else set(scope)
        everyone = partners.tree(conn)
        above: dict[int, int | None] = dict(everyone.select("id", "parent_id").iter_rows())
        if allowed is not None:
            above = {id_: parent for id_, parent in above.items() if id_ in allowed}
        self._above = {id_: parent if parent in above else None for id_, parent in above.items()}
        self._below: dict[int | None, list[int]] = {}
        for id_, parent in self._above.items():
            self._below.setdefault(parent, []).append(id_)
        self._own = earned(conn, period, scope)
        self._sums: dict[int, Money] = {}
        self._count: dict[int, int] = {}
        self._add_up()

    def __len__(self) -> int:
        return len(self._above)

    def __contains__(self, partner_id: int) -> bool:
        return partner_id in self._above

    def _add_up(self) -> None:
        """Sum every subtree, the deepest first."""
        order: list[int] = []
        layer = self._below.get(None, [])
        while layer:
            order += layer
            layer = [child for one in layer for child in self._below.get(one, ())]
        for id_ in reversed(order):
            sums = self._sums.setdefault(id_, {})
            for currency, amount in self._own.get(id_, {}).items():
                sums[currency] = sums.get(currency, 0) + amount
            parent = self._above[id_]
            if parent is not None:
                self._count[parent] = self._count.get(parent, 0) + self._count.get(id_, 0) + 1
                above = self._sums.setdefault(parent, {})
                for currency, amount in sums.items():
                    above[currency] = above.get(currency, 0) + amount

    def children(
        self,
        conn: psycopg.Connection[Any],
        parent: int | None,
        after: int | None = None,
        limit: int = 100,
    ) -> tuple[list[Node], int | None]:
        """Return those directly below a partner (None = the roots) by code, from after an id.

        The second value is the id to ask after for the next page, None at the end.
        """
        found = self.nodes(conn, self._below.get(parent, []), after, limit + 1)
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def path(self, conn: psycopg.Connection[Any], partner_id: int) -> list[Node]:
        """Return the partners above one, the root first, himself last."""
        ids = [partner_id]
        while (parent := self._above.get(ids[-1])) is not None and parent not in ids:
            ids.append(parent)
        by_id = {node.id: node for node in self.nodes(conn, ids)}
        return [by_id[id_] for id_ in reversed(ids) if id_ in by_id]

    def nodes(
        self,
        conn: psycopg.Connection[Any],
        ids: Iterable[int],
        after: int | None = None,
        limit: int | None = None,
    ) -> list[Node]:
        """Return partners with their earnings, by code."""
        wanted = [id_ for id_ in ids if id_ in self._above]
        values = {"who": wanted, "after": after, "limit": limit}
        rows = conn.execute(_PEOPLE, values).fetchall() if wanted else []
        return [
            Node(*[
                *row, self._own.get(row[0], {}), self._sums.get(row[0], {}),
                len(self._below.get(row[0], ())), self._count.get(row[0], 0),
            ])
            for row in rows
        ]  # fmt: skip

    def total(self) -> Money:
        """Return what all of the tree earned."""
        sums: Money = {}
        for root in self._below.get(None, []):
            for currency, amount in self._sums[root].items():
                sums[currency] = sums.get(currency, 0) + amount
        return sums


def find_partners(
    conn: psycopg.Connection[Any], text: str, scope: Sequence[int] | None = None, limit: int = 50
) -> list[int]:
    """Return the ids of partners whose code or name holds a text, an exact code first."""
    like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    values = {"like": like, "text": text, "limit": limit,
              "scope": None if scope is None else list(scope)}  # fmt: skip
    return [row[0] for row in conn.execute(_SEARCH, values)]
