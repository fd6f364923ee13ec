"""What attribution gives out: columns parallel to the trades it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipshare.market import GroupRow
from pipshare.period import Millis


@dataclass(frozen=True)
class Attributed:
    """Each trade's standing, why, chain, group, currency and client; -1 means none.

    standing and why are codes of standing.Standing and standing.Why. chain is a place in
    `chains` (partner ids, direct IB first), chain_id its number in attribution_chain (0 = none);
    both only for introduced trades. group is a place in `groups`, group_name (of the account
    itself, where a row of `groups` may be a mask) in `group_names`, currency in `currencies`.
    `early` marks trades closed before the first observation of their account, for which the first
    known group, currency and status served.
    """

    standing: npt.NDArray[np.int8]
    why: npt.NDArray[np.int8]
    chain: npt.NDArray[np.int32]
    chain_id: npt.NDArray[np.int32]
    group: npt.NDArray[np.int32]
    currency: npt.NDArray[np.int32]
    group_name: npt.NDArray[np.int32]
    client_id: Millis
    account_id: Millis
    early: npt.NDArray[np.bool_]
    chains: Sequence[tuple[int, ...]]
    groups: Sequence[GroupRow]
    currencies: Sequence[str]
    group_names: Sequence[str]
