"""The settings of one replica: where it is, and which tables and columns are read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipshare.crm.settings import Given
from pipshare.errors import BadInput

MARIADB, POSTGRESQL = DRIVERS = ("mariadb", "postgresql")
_PORTS = {MARIADB: 3306, POSTGRESQL: 5432}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")
MOST_TABLES = 50


@dataclass(frozen=True)
class Table:
    """One table. `columns`: our name -> theirs. `key`: their columns that name a row, together.

    changed: their column with the moment of the last change, "" where there is none: then rows are
    read on by their key, and the whole table again every `whole_s` seconds.
    """

    name: str
    known_as: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    changed: str = ""
    whole_s: int = 3_600

    @property
    def order(self) -> tuple[str, ...]:
        """The columns that rows are read by."""
        return (self.changed, *(one for one in self.key if one != self.changed)) if self.changed \
            else self.key  # fmt: skip


@dataclass(frozen=True)
class Config:
    """One replica. `tls`: required (checked against the machine's authorities or `ca_file`) or off.

    overlap_s: how far before the last change rows are read again: a long transaction commits late.
    """

    driver: str
    host: str
    port: int
    database: str
    user: str
    tables: tuple[Table, ...]
    password: str = field(repr=False)
    tls: str = "required"
    ca_file: str = ""
    page: int = 1_000
    overlap_s: int = 600
    poll_s: int = 60

    @classmethod
    def parse(cls, settings: Mapping[str, Any], secret: str) -> Config:
        """Read an endpoint's settings. Raises BadInput that names setting, table and column."""
        given = Given("sql", settings)
        driver = given.text("driver")
        if driver not in DRIVERS:
            raise given.bad("driver", f"{driver!r} is none of {', '.join(DRIVERS)}")
        if not secret:
            raise BadInput(
                "bad_setting", "sql: the password is missing: give the endpoint a secret"
            )
        tls = given.text("tls", "required")
        if tls not in ("required", "off"):
            raise given.bad("tls", f"{tls!r} is neither required nor off")
        tables = given.left.pop("tables", None)
        if not isinstance(tables, list) or not 0 < len(tables) <= MOST_TABLES:
            raise given.bad("tables", f"is a list of 1 to {MOST_TABLES} tables")
        found = cls(
            driver=driver,
            host=given.text("host"),
            port=given.whole("port", _PORTS[driver], 1, 65_535),
            database=given.text("database"),
            user=given.text("user"),
            tables=tuple(_table(one) for one in tables),
            password=secret,
            tls=tls,
            ca_file=given.text("ca_file", ""),
            page=given.whole("page", 1_000, 1, 10_000),
            overlap_s=given.whole("overlap_s", 600, 0, 9_999_999),
            poll_s=given.whole("poll_s", 60, 1, 86_400),
        )
        given.done()
        names = [one.known_as for one in found.tables]
        for name in names:
            if names.count(name) > 1:
                raise given.bad("tables", f'names {name} twice: say with "as" how each is known')
        return found


def _table(told: Any) -> Table:
    given = Given("sql", told if isinstance(told, dict) else {})
    name = _named(given, "table", given.text("table"))
    given.kind = f"sql, table {name}"
    columns = given.left.pop("columns", None)
    if isinstance(columns, list):
        columns = {one: one for one in columns if isinstance(one, str)}
    if not isinstance(columns, dict) or not columns:
        raise given.bad("columns", 'names what is read: ["id", ...] or {"our name": "theirs", ...}')
    key = given.left.pop("key", None)
    key = [key] if isinstance(key, str) else key
    if not isinstance(key, list) or not key:
        raise given.bad("key", "names the column, or the columns, that tell rows apart")
    changed = given.text("changed", "")
    made = Table(
        name=name,
        known_as=given.text("as", name),
        columns={str(ours): _named(given, "columns", theirs) for ours, theirs in columns.items()},
        key=tuple(_named(given, "key", one) for one in key),
        changed=_named(given, "changed", changed) if changed else "",
        whole_s=given.whole("whole_s", 3_600, 1, 9_999_999),
    )
    given.done()
    return made


def _named(given: Given, setting: str, name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise given.bad(setting, f"has {name!r}, which is no plain name of a table or column")
    return name
