"""Whose client somebody was at a moment, without any trade: for what clients are paid for (CPA)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg

from pipshare.attribution import read
from pipshare.attribution.attribute import attribute_known
from pipshare.attribution.directory import Directory
from pipshare.attribution.standing import Standing
from pipshare.period import Millis

_STATES = {"subject": pl.Int64, "group": pl.String, "currency": pl.String, "status": pl.String,
           "from_ms": pl.Int64, "id": pl.Int64, "assumed": pl.Boolean}  # fmt: skip
_RELATION = dict.fromkeys(("subject", "above", "start", "end", "id"), pl.Int64)


class ClientChains:
    """Clients' chains of partners over time. `chains`: each the direct IB first."""

    def __init__(self, parents: pl.DataFrame, relations: pl.DataFrame, clients: Millis) -> None:
        """Take parents and relations as attribution.read gives them."""
        # Each client stands in for an account of his own, whose number is the client's.
        who = np.unique(np.asarray(clients, np.int64))
        accounts = pl.DataFrame({"id": who, "login": who, "client": who})
        frames = {"accounts": accounts, "states": pl.DataFrame(schema=_STATES),
                  "relations": relations, "agents": pl.DataFrame(schema=_RELATION)}  # fmt: skip
        self._directory = Directory.of_frames([], parents, frames)

    @property
    def chains(self) -> Sequence[tuple[int, ...]]:
        """Return every chain that some client may have at some moment."""
        return self._directory.book.chains

    def at(self, client: Millis, moment_ms: Millis) -> npt.NDArray[np.int32]:
        """Return each client's place in `chains` at its moment; -1 = nobody introduced him."""
        frame = pl.DataFrame({"login": client, "close_utc": moment_ms})
        found = attribute_known(self._directory, frame)
        introduced = found.standing == Standing.INTRODUCED
        return np.where(introduced, found.chain, -1).astype(np.int32)


def client_chains(conn: psycopg.Connection[Any], clients: Sequence[int]) -> ClientChains:
    """Read whose clients these were, as known now."""
    who = np.asarray(clients, np.int64)
    relations = read.relations(conn, who.tolist(), None)
    return ClientChains(read.parents(conn, None), relations, who)
