"""Names of a frame of settled trades and their attribution become numbers, for placed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts import Opening
from pipshare.market.groups import GroupRow
from pipshare.market.symbols import SymbolBook
from pipshare.money.currencies import CENT_CURRENCIES
from pipshare.partners.info import PartnerInfo
from pipshare.period import Millis as Longs
from pipshare.rating.payees import Payees
from pipshare.rating.places import GroupPlace, SymbolPlace

INTRODUCED = 1  # the standing of attribution that earns
Int32s = npt.NDArray[np.int32]


class Attributed(Protocol):
    """What rating needs of attribution, as columns parallel to the trades; -1 means none.

    `group` is a place in `groups`, `group_name` (the account's own group) in `group_names`,
    `currency` (the account's) in `currencies`, `chain` in `chains` (partner ids, direct IB first).
    """

    @property
    def standing(self) -> npt.NDArray[np.int8]: ...
    @property
    def chain(self) -> Int32s: ...
    @property
    def group(self) -> Int32s: ...
    @property
    def group_name(self) -> Int32s: ...
    @property
    def currency(self) -> Int32s: ...
    @property
    def client_id(self) -> Longs: ...
    @property
    def chains(self) -> Sequence[tuple[int, ...]]: ...
    @property
    def groups(self) -> Sequence[GroupRow]: ...
    @property
    def group_names(self) -> Sequence[str]: ...
    @property
    def currencies(self) -> Sequence[str]: ...


def payees_of(partners: PartnerInfo) -> Payees:
    """Return the partners as the kernel takes them."""
    return Payees(
        ids=partners.ids,
        currency=partners.currency,
        currencies=partners.currencies,
        own_client=partners.own_client,
        go_live_ms=partners.go_live_ms,
        status=partners.status,
    )


def hold(frame: pl.DataFrame) -> Longs:
    """Return how long each trade was held, in milliseconds; -1 where the opening is unknown."""
    begin, end = (
        ("open_utc", "close_utc") if "open_utc" in frame.columns else ("open_ms", "close_ms")
    )
    taken = np.maximum(frame[end].to_numpy() - frame[begin].to_numpy(), 0)
    known = (frame["opening"].to_numpy() == Opening.KNOWN) & (frame["open_ms"].to_numpy() > 0)
    return np.where(known, taken, -1)


def lot_factor(row: GroupRow | None, currency: str) -> Fraction | None:
    """Return what a lot counts: as the group says; 1 without one, unless the account is in cents.

    A cent account in no known group might have lots of any size, so nobody may guess (None).
    """
    if row is not None:
        return row.lot_factor
    return None if currency in CENT_CURRENCIES else Fraction(1)


def symbols_of(raw: pl.Series, known: SymbolBook) -> tuple[list[SymbolPlace], Int32s]:
    """Return the symbols used, and the place of each row's; unknown names are symbols too."""
    place = known.resolve_column(raw).astype(np.int64)
    used, code = _numbered(np.maximum(place, 0), max(len(known.rows), 1))
    rows = [known.rows[i] for i in used.tolist()] if known.rows else []
    found = [
        SymbolPlace(row.symbol, row.symbol_group, currency=row.currency, digits=row.digits,
                    contract_e8=row.contract_e8, pip_points=row.pip, calc=row.mode,
                    tick_size_e8=row.tick_size_e8, tick_value_e8=row.tick_value_e8)
        for row in rows
    ]  # fmt: skip
    lost = np.flatnonzero(place < 0)
    if len(lost):
        names = raw[lost].str.strip_chars()
        distinct = names.unique().sort()
        code[lost] = len(found) + distinct.search_sorted(names).to_numpy()
        found += [SymbolPlace(name, "", known=False) for name in distinct]
    return found, code.astype(np.int32)


def groups_of(attributed: Attributed, rows: Longs) -> tuple[list[GroupPlace], Int32s]:
    """Return the distinct account groups used, and the place of each row's."""
    cent = [name in CENT_CURRENCIES for name in attributed.currencies]
    in_cents = np.array([*cent, False], np.int64)[attributed.currency[rows]]
    names = len(attributed.group_names) + 1
    key = (attributed.group[rows].astype(np.int64) + 1) * names + attributed.group_name[rows] + 1
    used, code = _numbered(key * 2 + in_cents, 2 * names * (len(attributed.groups) + 1))
    places = []
    for one in used.tolist():
        group, name = divmod(one // 2, names)
        row = attributed.groups[group - 1] if group else None
        places.append(GroupPlace(
            attributed.group_names[name - 1] if name else "",
            row.type if row else "",
            lot_factor(row, "USC" if one % 2 else ""),
        ))  # fmt: skip
    return places, code.astype(np.int32)


def _numbered(codes: Longs, size: int) -> tuple[Longs, Longs]:
    """Return the distinct codes (all below `size`), and the rank of each row's among them."""
    if size > 4 * len(codes) + 1_000_000:
        used, rank = np.unique(codes, return_inverse=True)
        return used, rank
    used = np.flatnonzero(np.bincount(codes, minlength=size))
    ranks = np.zeros(size, np.int64)
    ranks[used] = np.arange(len(used))
    return used, ranks[codes]
