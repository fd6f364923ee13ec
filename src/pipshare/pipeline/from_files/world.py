"""All files of one `pipshare rate`, read: what a database would hold, in memory and numbered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipshare.errors import BadInput
from pipshare.market import FxTable, GroupRow, PointsRow, Server, SymbolBook
from pipshare.partners.info import PartnerInfo
from pipshare.period import Clock
from pipshare.pipeline.from_files import places
from pipshare.pipeline.from_files.accounts import Accounts, entity_names
from pipshare.pipeline.from_files.before import Before
from pipshare.pipeline.from_files.columns import MAIN, TREE_TABLES
from pipshare.pipeline.from_files.events import no_events, take_events
from pipshare.pipeline.from_files.people import Gathering, People, rows_of
from pipshare.pipeline.from_files.places import Refuser
from pipshare.pipeline.from_files.quoted import QUOTES, take_quotes
from pipshare.pipeline.from_files.sheets import Refused, Sheet, read_sheet, typed_rows
from pipshare.pipeline.from_files.terms import Programmes, TermsReader, check_groups, read_plans
from pipshare.pipeline.from_files.trades import take_trades
from pipshare.pipeline.from_files.tree import read_tree
from pipshare.plans.book import Book


@dataclass(frozen=True)
class Files:
    """Where everything stands; None = there is no such file."""

    plans: Sequence[Path]
    tree: Path
    trades: Path | None
    events: Path | None = None
    symbols: Path | None = None
    quotes: Path | None = None
    fx: Path | None = None


@dataclass(frozen=True)
class World:
    """What the files say. `trades`: checked rows of all servers (see from_files.trades)."""

    numbers: dict[str, int]
    people: People
    partners: PartnerInfo
    clocks: dict[str, Clock]
    servers: dict[str, Server]
    groups: dict[str, list[GroupRow]]
    symbols: dict[str, SymbolBook]
    fx: FxTable
    programmes: Programmes
    book: Book
    accounts: Accounts
    trades: pl.DataFrame
    quotes: pl.DataFrame
    events: pl.DataFrame
    markups: list[PointsRow]
    spreads: list[PointsRow]
    before: Before
    refused: list[Refused] = field(default_factory=list)

    @property
    def entity_of(self) -> Mapping[str, str]:
        """The entity's code of each server."""
        return self.accounts.entity_of

    @property
    def needs_openings(self) -> bool:
        """Tell whether an opening that is not told matters: some trades tell theirs, or a plan
        asks how long trades were held."""
        told = len(self.trades) > 0 and bool((self.trades["open_utc"] >= 0).any())
        held = any(
            component.min_hold_s is not None or version.programme.moment == "open"
            for version in self.programmes.versions
            for component in version.programme.components
        )
        return told or held

    def entities(self) -> list[str]:
        """Return the codes of the entities that have something to do with the files."""
        return list(dict.fromkeys([MAIN, *self.entity_of.values(), *self.numbers]))

    def clock(self, entity: str) -> Clock:
        """Return the clock of an entity's day."""
        return self.clocks.get(entity, self.clocks[""])


class _Tables:
    """Sheets by table, typed on demand with the clocks of the entities' days."""

    def __init__(self, files: Files) -> None:
        self.refused: list[Refused] = []
        self.sheets: dict[str, list[Sheet]] = {
            name: [] for name in (*TREE_TABLES, "trades", "events")
        }
        for name, sheet in read_tree(files.tree, self.refused).items():
            self.sheets[name].append(sheet)
        for name in ("trades", "events", "symbols", "quotes", "fx"):
            path = getattr(files, name)
            if path is not None:
                self.sheets[name].append(read_sheet(path, name, self.refused))
        self.clocks: dict[str, Clock] = {"": places.UTC, MAIN: places.UTC}

    def rows(self, name: str) -> list[tuple[Refuser, list[dict[str, Any]]]]:
        """Return the typed rows of a table, sheet by sheet, with what refuses one."""
        return [
            (Refuser(sheet.file, sheet.place, self.refused), list(rows_of(self.frame(sheet))))
            for sheet in self.sheets[name]
        ]

    def frame(self, sheet: Sheet) -> pl.DataFrame:
        return typed_rows(sheet, self.clocks, self.refused)


def read_world(files: Files) -> World:
    """Read all files. Raises BadInput for what nothing could be rated without."""
    tables = _Tables(files)
    told = [row for _, rows in tables.rows("entities") for row in rows]
    numbers, tables.clocks = places.entities(told)
    servers = _servers(tables, numbers)
    day = {name: tables.clocks[code] for name, code in entity_names(servers, numbers).items()}
    tables.clocks = {**day, **tables.clocks}
    gathering = Gathering(numbers, tables.refused)
    _people(tables, gathering)
    programmes = read_plans(files.plans, tables.clocks)
    accounts = Accounts(gathering.people, entity_names(servers, numbers))
    for refuse, rows in tables.rows("accounts"):
        accounts.take(rows, servers, refuse)
    trades = _trades(tables, servers, accounts)
    symbols = _symbols(tables, servers)
    check_groups(programmes, (one.symbol_group for book in symbols.values() for one in book.rows))
    events = _events(tables, gathering.people, accounts, servers)
    span = _span(trades, events)
    return World(
        numbers=numbers,
        people=gathering.people,
        partners=gathering.people.info(numbers),
        clocks=tables.clocks,
        servers=servers,
        groups=_groups(tables, servers),
        symbols=symbols,
        fx=_exchange(tables, span, [row["currency"] or "USD" for row in told]),
        programmes=programmes,
        book=_book(tables, gathering, programmes),
        accounts=accounts,
        trades=trades,
        quotes=_quotes(tables, servers, symbols),
        events=events,
        before=_before(tables, gathering, programmes),
        markups=_points(tables, "markups", servers),
        spreads=_points(tables, "spreads", servers),
        refused=tables.refused,
    )


def _servers(tables: _Tables, numbers: dict[str, int]) -> dict[str, Server]:
    found: dict[str, Server] = {}
    for refuse, rows in tables.rows("servers"):
        found |= places.servers(rows, numbers, refuse)
    if found:
        return found
    # Nobody described a server: those that accounts and trades name are plain ones.
    named = [
        name.strip()
        for table in ("accounts", "groups", "trades", "symbols", "quotes")
        for sheet in tables.sheets[table] if "server" in sheet.cells.columns
        for name in sheet.cells["server"].fill_null("").unique(maintain_order=True)
    ]  # fmt: skip
    distinct = dict.fromkeys(name for name in named if name) or {MAIN: None}
    return {name: places.default_server(name, n) for n, name in enumerate(distinct, 1)}


def _people(tables: _Tables, gathering: Gathering) -> None:
    if not tables.sheets["partners"]:
        raise BadInput("no_partners", "the tree has no partners: add a table partners with at"
                       " least the column partner (their codes)")  # fmt: skip
    for sheet in tables.sheets["partners"]:
        gathering.partners(sheet.file, sheet.place, list(rows_of(tables.frame(sheet))))
    for name, take in (("clients", gathering.clients), ("relations", gathering.relations)):
        for sheet in tables.sheets[name]:
            take(sheet.file, sheet.place, list(rows_of(tables.frame(sheet))))


def _book(tables: _Tables, gathering: Gathering, programmes: Programmes) -> Book:
    reader = TermsReader(programmes, gathering, tables.refused)
    silent: list[Refused] = []  # wrong rows of partners were told of already
    for sheet in tables.sheets["partners"]:
        rows = list(rows_of(typed_rows(sheet, tables.clocks, silent)))
        reader.take(sheet.file, sheet.place, rows, short=True)
    for sheet in tables.sheets["terms"]:
        reader.take(sheet.file, sheet.place, list(rows_of(tables.frame(sheet))))
    return reader.book()


def _trades(tables: _Tables, servers: dict[str, Server], accounts: Accounts) -> pl.DataFrame:
    parts = []
    for sheet in tables.sheets["trades"]:
        refuse = Refuser(sheet.file, sheet.place, tables.refused)
        rows = take_trades(tables.frame(sheet), servers, refuse)
        parts.append(accounts.with_logins(rows, refuse))
    return pl.concat(parts) if parts else pl.DataFrame()


def _groups(tables: _Tables, servers: dict[str, Server]) -> dict[str, list[GroupRow]]:
    found: dict[str, list[GroupRow]] = {name: [] for name in servers}
    for refuse, rows in tables.rows("groups"):
        found = {name: found[name] + more
                 for name, more in places.groups(rows, servers, refuse).items()}  # fmt: skip
    return found


def _symbols(tables: _Tables, servers: dict[str, Server]) -> dict[str, SymbolBook]:
    sheets = tables.rows("symbols")
    found = {}
    for first, server in zip([True] + [False] * len(servers), servers.values(), strict=False):
        rows = [row for _, some in sheets for row in some]
        refuse = sheets[0][0] if sheets else Refuser("", "", tables.refused)
        found[server.code] = places.symbols(rows, server, servers, refuse, first=first)
    return found


def _before(tables: _Tables, gathering: Gathering, programmes: Programmes) -> Before:
    found = Before()
    for sheet in tables.sheets["history"]:
        refuse = Refuser(sheet.file, sheet.place, tables.refused)
        rows = list(rows_of(tables.frame(sheet)))
        found.take(rows, gathering.people, programmes.component_ids, tables.clocks, refuse)
    return found


def _points(tables: _Tables, name: str, servers: dict[str, Server]) -> list[PointsRow]:
    return [one for refuse, rows in tables.rows(name)
            for one in places.points(rows, servers, refuse)]  # fmt: skip


def _span(trades: pl.DataFrame, events: pl.DataFrame) -> tuple[int, int]:
    """Return the first and last moment that the files speak of, (0, 0) if there is none."""
    moments = [frame[name] for frame, name in ((trades, "close_utc"), (events, "at_ms"))
               if len(frame)]  # fmt: skip
    every = pl.concat(moments) if moments else pl.Series([0], dtype=pl.Int64)
    return int(every.min()), int(every.max())  # type: ignore[arg-type]


def _exchange(tables: _Tables, span: tuple[int, int], own: list[str]) -> FxTable:
    sheets = tables.rows("fx")
    rows = [row for _, some in sheets for row in some]
    refuse = sheets[0][0] if sheets else Refuser("", "", tables.refused)
    return places.exchange(rows, span, own, refuse)


def _quotes(
    tables: _Tables, servers: dict[str, Server], symbols: dict[str, SymbolBook]
) -> pl.DataFrame:
    parts = [
        take_quotes(tables.frame(sheet), servers, symbols,
                    Refuser(sheet.file, sheet.place, tables.refused))
        for sheet in tables.sheets["quotes"]
    ]  # fmt: skip
    return pl.concat(parts).sort("place", "at") if parts else pl.DataFrame(schema=QUOTES)


def _events(
    tables: _Tables, people: People, accounts: Accounts, servers: dict[str, Server]
) -> pl.DataFrame:
    parts = [
        take_events(tables.frame(sheet), people, accounts, servers,
                    Refuser(sheet.file, sheet.place, tables.refused))
        for sheet in tables.sheets["events"]
    ]  # fmt: skip
    return pl.concat(parts) if parts else no_events()
