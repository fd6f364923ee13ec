"""Servers, account groups, symbols and exchange rates of the files, as the kernels take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipshare.errors import BadInput
from pipshare.market import FxRow, FxTable, GroupRow, PointsRow, Server, SymbolBook, SymbolRow
from pipshare.market.fx import MAX_AGE_MS, PIVOTS, fits
from pipshare.money import parse_rate
from pipshare.partners.wording import hint
from pipshare.period import Clock
from pipshare.pipeline.from_files.columns import MAIN
from pipshare.pipeline.from_files.sheets import Refused

Row = Mapping[str, Any]
UTC = Clock("UTC", 0)


class Refuser:
    """Says of rows of one table why they are left out."""

    def __init__(self, file: str, place: str, refused: list[Refused]) -> None:
        self.file, self._place, self._refused = file, place, refused

    def __call__(self, row: Row, code: str, why: str) -> None:
        """Leave a row out."""
        self.say(row["line"], code, why)

    def say(self, line: int, code: str, why: str) -> None:
        """Leave the row of a line out."""
        self._refused.append(
            Refused(self.file, line, code, f"{self.file}, {self._place} {line}, {why}")
        )


def entities(rows: Iterable[Row]) -> tuple[dict[str, int], dict[str, Clock]]:
    """Return the entities' numbers, and the clocks of their days; `main` always is one."""
    numbers, clocks = {MAIN: 1}, {MAIN: UTC}
    for row in rows:
        numbers.setdefault(row["entity"], len(numbers) + 1)
        if row["clock"]:
            clocks[row["entity"]] = Clock.parse(row["clock"])
        clocks.setdefault(row["entity"], UTC)
    return numbers, clocks | {"": clocks[MAIN]}


def servers(rows: Iterable[Row], known: Mapping[str, int], refuse: Refuser) -> dict[str, Server]:
    """Return the servers by name. Unlike `load`, one without a go-live books everything."""
    found: dict[str, Server] = {}
    for row in rows:
        entity = row["entity"] or MAIN
        if entity not in known:
            refuse(row, "unknown_entity", f"field entity: {entity!r} is not known"
                   f"{hint(entity, known)}: add it to the table entities")  # fmt: skip
            continue
        before = found.get(row["server"])
        clock = Clock.parse(row["clock"]) if row["clock"] else None
        clocks = dict(before.clocks) if before else {}
        if clock or not clocks:
            clocks[row["clock_from"] or 0] = clock or UTC
        endings = None if not row["suffixes"] else row["suffixes"].replace("-", " ").split() \
            if row["suffixes"] == "-" else row["suffixes"].split()  # fmt: skip
        found[row["server"]] = Server(
            id=before.id if before else len(found) + 1,
            code=row["server"],
            entity_id=known[entity],
            platform=row["platform"] or (before.platform if before else "mt5"),
            authority="files",
            suffixes=tuple(endings) if endings is not None else before.suffixes if before else (),
            clocks=tuple(sorted(clocks.items())),
            go_live_ms=row["go_live"] or (before.go_live_ms if before else 0),
        )
    return found


def default_server(name: str, number: int) -> Server:
    """Return a server that nobody described: MT5, UTC, of the entity main, always live."""
    return Server(number, name, 1, "mt5", "files", (), ((0, UTC),), 0)


def groups(rows: Iterable[Row], known: Mapping[str, Server], refuse: Refuser) -> dict[
    str, list[GroupRow]
]:  # fmt: skip
    """Return the group rows of each server; a row that names no server is for all of them."""
    found: dict[str, list[GroupRow]] = {name: [] for name in known}
    number = 0
    for row in rows:
        if row["server"] and row["server"] not in known:
            refuse(row, "unknown_server", _no_server(row["server"], known))
            continue
        for name in [row["server"]] if row["server"] else list(known):
            number += 1
            before = [one for one in found[name]
                      if one.mask.casefold() == row["group"].casefold()]  # fmt: skip
            last = before[-1] if before else None
            factor = parse_rate(row["lot_factor"]) if row["lot_factor"] else None
            found[name].append(GroupRow(
                number, row["group"], row["type"] or (last.type if last else ""),
                factor if factor is not None else last.lot_factor if last else parse_rate("1"),
                row["treatment"] or (last.treatment if last else "normal"),
                row["currency"] or (last.currency if last else ""),
                row["valid_from"] or 0,
                row["book"] or (last.book if last else ""),
            ))  # fmt: skip
    return {name: sorted(some, key=lambda g: (g.mask.casefold(), g.valid_from_ms))
            for name, some in found.items()}  # fmt: skip


def symbols(rows: Iterable[Row], server: Server, known: Mapping[str, Server], refuse: Refuser,
            *, first: bool) -> SymbolBook:  # fmt: skip
    """Return the symbols of one server; `first` says that wrong rows are to be told of."""
    found: dict[tuple[str, str], SymbolRow] = {}
    for number, row in enumerate(rows, 1):
        name = row["server"] or ""
        if name and name not in known:
            if first:
                refuse(row, "unknown_server", _no_server(name, known))
            continue
        if name not in ("", server.code):
            continue
        made = _symbol(number, row, server.id if name else None)
        if isinstance(made, str):
            if first:
                refuse(row, "bad_symbol", made)
            continue
        found[row["symbol"].casefold(), name] = made
    return SymbolBook(found.values(), server.suffixes)


def _symbol(number: int, row: Row, server_id: int | None) -> SymbolRow | str:
    digits = 5 if row["digits"] is None else row["digits"]
    if not 0 <= digits <= 8:
        return f"field digits: {digits} is not a number of decimals from 0 to 8"
    contract = 100_000 * 10**8 if row["contract_size"] is None else row["contract_size"]
    if contract <= 0:
        return "field contract_size: the units in one lot have to be more than 0"
    alias = "" if row["alias"] in (None, "-") else row["alias"]
    return SymbolRow(
        number, row["symbol"], row["symbol_group"] or "", digits, contract,
        row["currency"] or "USD", tuple(alias.split()), server_id, "load",
        row["pip_points"] or 0, row["calc"] or "", row["tick_size"] or 0, row["tick_value"] or 0,
    )  # fmt: skip


def points(rows: Iterable[Row], known: Mapping[str, Server], refuse: Refuser) -> list[PointsRow]:
    """Return the rows of a table of points: markups, or typical spreads."""
    found: list[PointsRow] = []
    for row in rows:
        if row["server"] and row["server"] not in known:
            refuse(row, "unknown_server", _no_server(row["server"], known))
        elif row["points"] < 0:
            refuse(row, "bad_points", "field points: cannot be below 0")
        else:
            server = known[row["server"]].id if row["server"] else None
            found.append(PointsRow(
                len(found) + 1, server, row["symbol"] or "", row["symbol_group"] or "",
                row["group"] or "*", row["points"], row["valid_from"] or 0,
            ))  # fmt: skip
    return found


def exchange(
    rows: Iterable[Row], span: tuple[int, int], own: Iterable[str], refuse: Refuser
) -> FxTable:
    """Return the exchange rates. One without a time holds at all times of the files' span.

    `own`: the entities' currencies, through which two others may be chained.
    """
    told: list[FxRow] = []
    for row in rows:
        if row["base"] == row["quote"]:
            refuse(row, "same_currency",
                   f"field quote: {row['quote']} costs 1 in itself; leave it out")  # fmt: skip
            continue
        bid, ask = (parse_rate(row[side]) if row[side] else None for side in ("bid", "ask"))
        rate = parse_rate(row["rate"]) if row["rate"] else None
        if rate is None and bid is not None and ask is not None:
            rate = (bid + ask) / 2
        if rate is None:
            refuse(row, "no_rate", "field rate: give the rate, or bid and ask")
            continue
        if not all(fits(one) for one in (rate, bid or rate, ask or rate)):
            refuse(row, "bad_rate", "field rate: not usable: a rate is more than 0 and exact in"
                   " 16 digits")  # fmt: skip
            continue
        if not (bid or rate) <= rate <= (ask or rate):
            refuse(row, "crossed", "bid, rate and ask do not rise in this order")
            continue
        moments = (
            [row["time"]] if row["time"] is not None else range(span[0], span[1] + 1, MAX_AGE_MS)
        )
        told += [FxRow(len(told) + n, row["base"], row["quote"], at, rate, bid, ask)
                 for n, at in enumerate(moments, 1)]  # fmt: skip
    return FxTable(told, (*PIVOTS, *own))


def _no_server(name: str, known: Iterable[str]) -> str:
    return f"field server: {name!r} is not known{hint(name, known)}: add it to the table servers"


def check_server(name: str, known: Mapping[str, Server]) -> None:
    """Raise BadInput when a server is named that no table describes."""
    if name not in known:
        raise BadInput("unknown_server", _no_server(name, known))
