"""Attribution as columns: for each trade its account, client, standing, reason and chain.

Pure: a snapshot of histories and two columns in, columns out. The moment is the close; of other
moments (the opening: docs/decisions/0013) only the chain is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipshare.attribution.standing import AGENT_HOLD, AGENT_NONE, STANDING_OF_WHY, Why
from pipshare.attribution.timeline import Places, Timeline
from pipshare.period import Millis

Int32 = npt.NDArray[np.int32]
Int8 = npt.NDArray[np.int8]
EXCLUDED, DIRECT = 1, 2  # treatment codes: standing.TREATMENTS; account states use them too


@dataclass(frozen=True)
class Snapshot:
    """What is known of some accounts, as arrays; places are indexes into the arrays themselves.

    accounts: login -> account place. client: account -> client place. state: account -> state
    place over time. state_group (place of the group's name), state_currency, state_treatment: per
    state. group: name place -> row of the group list; treatment: per row. relation: client -> 0
    direct, 1 + partner place. chain: partner place -> chain index. assumed, per state: what was
    observed only later serves. agent: account -> standing.AGENT_* where the platform pays an agent.
    """

    accounts: Places
    client: Millis
    state: Timeline
    first_state: Millis
    state_group: Int32
    state_currency: Int32
    state_treatment: Int8
    group: Timeline
    treatment: Int8
    relation: Timeline
    chain: Timeline
    assumed: npt.NDArray[np.bool_]
    agent: Timeline


@dataclass(frozen=True)
class Columns:
    """Parallel to the trades: -1 means none. `early` = the first known account state served."""

    standing: Int8
    why: Int8
    account: Millis
    client: Millis
    chain: Int32
    group: Int32
    currency: Int32
    group_name: Int32
    early: npt.NDArray[np.bool_]


def attribute_columns(snapshot: Snapshot, login: Millis, close_utc_ms: Millis) -> Columns:
    """Attribute trades. Shapes: two int64 columns of one length in, Columns of that length out.

    Order of decision: account unknown; excluded (account, then group); direct (account, then
    group); the client's relation; an agent whom the platform pays. Chains are given to introduced
    trades only.
    """
    account = snapshot.accounts.of(login)
    known = account >= 0
    if not len(snapshot.client):
        return _nothing_known(len(login))
    at = np.maximum(account, 0)
    client = np.where(known, snapshot.client[at], -1)
    state, early = _states(snapshot, at, known, close_utc_ms)
    group, treatment, own = _treatments(snapshot, state, close_utc_ms)
    told = snapshot.relation.at(np.maximum(client, 0), close_utc_ms)
    agent = snapshot.agent.at(at, close_utc_ms)
    why = np.select(
        [
            ~known,
            own == EXCLUDED,
            treatment == EXCLUDED,
            own == DIRECT,
            treatment == DIRECT,
            told < 0,
            told == 0,
            agent == AGENT_HOLD,
            agent == AGENT_NONE,
        ],
        [
            Why.UNKNOWN_ACCOUNT,
            Why.ACCOUNT_EXCLUDED,
            Why.GROUP_EXCLUDED,
            Why.ACCOUNT_DIRECT,
            Why.GROUP_DIRECT,
            Why.NO_RELATION,
            Why.CLIENT_DIRECT,
            Why.NATIVE_AGENT,
            Why.AGENT_PAID,
        ],
        Why.INTRODUCED,
    ).astype(np.int8)
    chain = np.full(len(login), -1, np.int32)
    rows = np.flatnonzero(why == Why.INTRODUCED)
    chain[rows] = snapshot.chain.at(told[rows] - 1, close_utc_ms[rows])
    return Columns(
        np.array(STANDING_OF_WHY, np.int8)[why], why, account, client, chain, group,
        _of_state(snapshot.state_currency, state), _of_state(snapshot.state_group, state), early,
    )  # fmt: skip


def chain_columns(snapshot: Snapshot, login: Millis, moment_ms: Millis) -> Int32:
    """Return the chain above the clients of known accounts at other moments than the close.

    Shapes: two int64 columns of one length in, chains out; -1 = nobody had introduced the client.
    """
    told = snapshot.relation.at(snapshot.client[snapshot.accounts.of(login)], moment_ms)
    chain = np.full(len(login), -1, np.int32)
    rows = np.flatnonzero(told > 0)
    chain[rows] = snapshot.chain.at(told[rows] - 1, moment_ms[rows])
    return chain


def _of_state(values: Int32, state: Millis) -> Int32:
    """Take a column of states by place; -1 where there is no state."""
    if not len(values):
        return np.full(len(state), -1, np.int32)
    return np.where(state >= 0, values[np.maximum(state, 0)], -1).astype(np.int32)


def _nothing_known(count: int) -> Columns:
    none = np.full(count, -1, np.int64)
    none32 = none.astype(np.int32)
    why = np.full(count, Why.UNKNOWN_ACCOUNT, np.int8)
    standing = np.zeros(count, np.int8)
    early = np.zeros(count, np.bool_)
    return Columns(standing, why, none, none, none32, none32, none32, none32, early)


def _states(
    snapshot: Snapshot, at: Millis, known: npt.NDArray[np.bool_], moment_ms: Millis
) -> tuple[Millis, npt.NDArray[np.bool_]]:
    """State of each account at the moment; before the first observation the first one serves."""
    observed = snapshot.state.at(at, moment_ms)
    early = known & (observed < 0)
    state = np.where(known, np.where(early, snapshot.first_state[at], observed), -1)
    if len(snapshot.assumed):
        early = early | snapshot.assumed[np.maximum(state, 0)]
    return state, early & (state >= 0)


def _treatments(snapshot: Snapshot, state: Millis, moment_ms: Millis) -> tuple[Int32, Int8, Int8]:
    """Group row at the moment, what the group says, and what the account itself says."""
    if not len(snapshot.state_group):
        none = np.full(len(state), -1, np.int32)
        return none, np.zeros(len(state), np.int8), np.zeros(len(state), np.int8)
    held = np.maximum(state, 0)
    own = np.where(state >= 0, snapshot.state_treatment[held], 0).astype(np.int8)
    if not len(snapshot.treatment):
        return np.full(len(state), -1, np.int32), np.zeros(len(state), np.int8), own
    held_row = snapshot.group.at(snapshot.state_group[held].astype(np.int64), moment_ms)
    row = np.where(state >= 0, held_row, -1).astype(np.int32)
    says: Int8 = np.where(row >= 0, snapshot.treatment[np.maximum(row, 0)], 0).astype(np.int8)
    return row, says, own
