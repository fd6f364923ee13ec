"""What one run has read so far of one server's accounts and of the partners above them.

A directory is made per server and run, extended by the logins of each batch, and thrown away when
anything was loaded: it does not notice changes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare import market
from pipshare.attribution import read
from pipshare.attribution.chains import ChainBook, Tree
from pipshare.attribution.kernel import DIRECT, EXCLUDED, Snapshot
from pipshare.attribution.timeline import Places, Timeline, distinct
from pipshare.market import GroupRow
from pipshare.period import Millis, flatten

WHOLE = 50_000  # logins: from here on the whole server is read faster than by number
FEW, SPARSE = 1_000, 4  # more logins than few, on a server of up to four times as many: read all
_TREATMENT = {"excluded": EXCLUDED, "direct": DIRECT}
_NONE: Millis = np.zeros(0, np.int64)


class Directory:
    """Accounts, clients, groups and chains of one server, as known (at `known_at`, UTC ms)."""

    def __init__(
        self, known_at: int | None = None, *, lasting: bool = False, stores: bool = True
    ) -> None:
        self.known_at = known_at
        self.stores = stores  # new chains, so that trades can point at them
        self.lasting = lasting  # serves many small batches: a server that fits is read at once
        self.snapshot: Snapshot | None = None
        self.groups: list[GroupRow] = []
        self.currencies: list[str] = []
        self.group_names: list[str] = []
        self.account_ids: Millis = _NONE
        self.client_ids: Millis = _NONE
        self.book = ChainBook()
        self.chain_ids = np.zeros(0, np.int32)  # in the database; 0 = not stored yet
        self.unsure: tuple[int, list[int]] = (0, [])  # transaction, and places it stored
        self._tree: Tree | None = None
        self._asked = _NONE
        self._whole = False
        self._frames: dict[str, pl.DataFrame] = {}
        self._chains: dict[int, tuple[Millis, Millis, Millis]] = {}

    @classmethod
    def of_frames(
        cls, groups: list[GroupRow], parents: pl.DataFrame, frames: dict[str, pl.DataFrame]
    ) -> Directory:
        """Return a directory of what was read elsewhere, complete: nothing is asked any more.

        `frames`: accounts, states, relations and agents, each as attribution.read gives them, and
        so are `parents`.
        """
        made = cls()
        made.groups, made._frames, made._whole = groups, frames, True
        made._grow_tree(parents)
        made.snapshot = made._build()
        return made

    def extend(self, conn: psycopg.Connection[Any], server_id: int, logins: Millis) -> Snapshot:
        """Read what is not known yet of these logins; returns the snapshot to ask."""
        missing = _NONE if self._whole else distinct(logins[Places(self._asked).of(logins) < 0])
        if self._tree is None:
            self._read_frame_of_reference(conn, server_id)
        if self.snapshot is None or len(missing):
            self._read_accounts(conn, server_id, missing)
            self.snapshot = self._build()
        return self.snapshot

    def _read_frame_of_reference(self, conn: psycopg.Connection[Any], server_id: int) -> None:
        self.groups = market.groups(conn, server_id)
        self._grow_tree(read.parents(conn, self.known_at))

    def _grow_tree(self, above: pl.DataFrame) -> None:
        subject, start, parent = _flat(above)
        self._tree = Tree(subject, start, np.where(parent == 0, -1, parent))

    def _read_accounts(
        self, conn: psycopg.Connection[Any], server_id: int, missing: Millis
    ) -> None:
        self._asked = np.sort(np.concatenate([self._asked, missing]))
        self._whole = (
            len(self._asked) > WHOLE
            or (self.lasting and read.count(conn, server_id) <= WHOLE)
            or (len(self._asked) > FEW and read.count(conn, server_id) <= SPARSE * len(self._asked))
        )
        logins = None if self._whole else missing.tolist()
        accounts = read.accounts(conn, server_id, logins, self.known_at)
        states = read.states(conn, server_id, logins, self.known_at)
        anew = self._whole or not self._frames
        known = _NONE if anew else distinct(self._frames["accounts"]["client"].to_numpy())
        clients = distinct(accounts["client"].to_numpy())
        clients = clients[Places(known).of(clients) < 0]
        relations = read.relations(
            conn, None if len(clients) > WHOLE else clients.tolist(), self.known_at
        )
        agents = read.agents(conn, server_id, logins, self.known_at)
        fresh = {"accounts": accounts, "states": states, "relations": relations, "agents": agents}
        if anew:
            self._frames = fresh
        else:
            self._frames = {
                name: pl.concat([self._frames[name], frame]) for name, frame in fresh.items()
            }

    def _build(self) -> Snapshot:
        accounts = self._frames["accounts"].sort("login")
        self.account_ids = accounts["id"].to_numpy()
        self.client_ids = distinct(accounts["client"].to_numpy())
        combos, state = self._states(len(accounts))
        names = combos["group"].unique(maintain_order=True)
        self.group_names = names.to_list()
        self.currencies = combos["currency"].unique(maintain_order=True).to_list()
        treatment = [_TREATMENT.get(row.treatment, 0) for row in self.groups]
        relation, chain = self._relations()
        return Snapshot(
            accounts=Places(accounts["login"].to_numpy()),
            client=Places(self.client_ids).of(accounts["client"].to_numpy()),
            state=state,
            first_state=state.first(),
            state_group=_places(combos["group"], names),
            state_currency=_places(combos["currency"], pl.Series(self.currencies, dtype=pl.String)),
            state_treatment=np.array([_TREATMENT.get(s, 0) for s in combos["status"]], np.int8),
            group=Timeline(len(names), *market.group_history(self.groups, names.to_list())),
            treatment=np.array(treatment, np.int8),
            relation=relation,
            chain=chain,
            assumed=combos["assumed"].to_numpy(),
            agent=self._agents(len(accounts)),
        )

    def _states(self, count: int) -> tuple[pl.DataFrame, Timeline]:
        """Distinct (group, currency, status, assumed), and which each account had when."""
        states = self._frames["states"]
        said = ["group", "currency", "status", "assumed"]
        combos = states.select(said).unique(maintain_order=True).with_row_index("combo")
        value = states.join(combos, on=said, how="left", maintain_order="left")["combo"]
        place = self._account_places(states["subject"].to_numpy())
        by = np.lexsort((states["from_ms"].to_numpy(), place))
        start, combo = states["from_ms"].to_numpy()[by], value.cast(pl.Int64).to_numpy()[by]
        return combos, Timeline(count, place[by], start, combo)

    def _agents(self, count: int) -> Timeline:
        """Where the platform pays an agent, and what was decided of it."""
        subject, start, value = _flat(self._frames["agents"])
        place = self._account_places(subject)
        by = np.lexsort((start, place))
        return Timeline(count, place[by], start[by], value[by])

    def _account_places(self, account_ids: Millis) -> Millis:
        order = np.argsort(self.account_ids)
        return np.asarray(order[np.searchsorted(self.account_ids, account_ids, sorter=order)])

    def _relations(self) -> tuple[Timeline, Timeline]:
        """Who introduced each client when (place + 1, 0 = nobody), and the chains above them."""
        relations = self._frames["relations"]
        mine = relations.filter(relations["subject"].is_in(pl.Series(self.client_ids).implode()))
        subject, start, above = _flat(mine)
        direct_ibs = distinct(above[above > 0])
        places = Places(direct_ibs)
        value = np.where(above > 0, places.of(above) + 1, above)
        who = np.searchsorted(self.client_ids, subject)
        return (
            Timeline(len(self.client_ids), who, start, value),
            Timeline(len(direct_ibs), *self._chain_rows(direct_ibs)),
        )

    def _chain_rows(self, direct_ibs: Millis) -> tuple[Millis, Millis, Millis]:
        assert self._tree is not None
        for partner in direct_ibs.tolist():
            if partner not in self._chains:
                self._chains[partner] = self.book.rows(self._tree, [partner])
        grown = np.zeros(len(self.book.chains), np.int32)
        grown[: len(self.chain_ids)] = self.chain_ids
        self.chain_ids = grown
        if not len(direct_ibs):
            return _NONE, _NONE, _NONE
        parts = [self._chains[partner] for partner in direct_ibs.tolist()]
        partner, start, chain = (np.concatenate(c) for c in zip(*parts, strict=True))
        return np.searchsorted(direct_ibs, partner), start, chain


def _flat(records: pl.DataFrame) -> tuple[Millis, Millis, Millis]:
    columns = (records[name].to_numpy() for name in ("subject", "start", "end", "above", "id"))
    return flatten(*columns)


def _places(column: pl.Series, among: pl.Series) -> np.ndarray[Any, np.dtype[np.int32]]:
    known = {text: place for place, text in enumerate(among)}
    return np.array([known[text] for text in column], np.int32)
