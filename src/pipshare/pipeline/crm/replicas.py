"""Opens replicas of CRMs' databases to read: MariaDB and MySQL, and PostgreSQL.

Here and not in crm, which knows no driver. Sessions are read-only; rows come as texts, whole
numbers and None: no driver makes a float of an amount. Names resolve once, and the connection goes
to the address that was judged, as for HTTP.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.string import TextLoader

from pipshare.crm.sql import Config, Door
from pipshare.crm.sql.config import MARIADB
from pipshare.errors import Missing, PipshareError, Unavailable
from pipshare.outbox.egress import Network
from pipshare.pipeline.crm.calling import TIMEOUT_S, Resolve, addresses, allowed_address

_OPTIONS = (
    f"-c default_transaction_read_only=on -c statement_timeout={int(TIMEOUT_S * 1000)}"
    " -c timezone=UTC -c datestyle=ISO"
)

_SESSION = ("SET SESSION TRANSACTION READ ONLY", "SET time_zone = '+00:00'")


def door(config: Config, allowed: Sequence[Network], resolve: Resolve = addresses) -> Door:
    """Return the door to a replica; nothing is opened yet."""
    made = _MariaDb if config.driver == MARIADB else _PostgreSql
    return made(config, allowed, resolve)


class _Door:
    """What both have in common: one connection, opened when it is needed."""

    def __init__(self, config: Config, allowed: Sequence[Network], resolve: Resolve) -> None:
        self.config, self.allowed, self.resolve = config, allowed, resolve
        self.open: Any = None
        self.where = f"{config.database} at {config.host}:{config.port}"

    def address(self) -> str:
        """Return the address to connect to."""
        plain = self.config.tls == "off"
        return allowed_address(
            self.config.host, self.config.port, self.allowed, plain=plain, resolve=self.resolve
        )

    def denied(self, said: str) -> PipshareError:
        """Return the fault of a user, password or right that is missing."""
        return PipshareError("crm_denied", f"{self.where} refuses us: {said}; give the user SELECT"
                             " on the tables of this endpoint")  # fmt: skip

    def wrong(self, said: str) -> PipshareError:
        """Return the fault of a table or column that is not there."""
        return PipshareError("crm_not_found", f"{self.where}: {said}; put the names of tables and"
                             " columns right in the endpoint's settings")  # fmt: skip

    def away(self, error: Exception) -> Unavailable:
        """Return the fault of a database that does not answer; the connection is dropped."""
        self.close()
        said = str(error).strip().splitlines() or [type(error).__name__]
        return Unavailable("crm_unreachable", f"{self.where} does not answer: {said[0][:200]}")

    def close(self) -> None:
        """Close the connection."""
        made, self.open = self.open, None
        if made is not None:
            with contextlib.suppress(Exception):
                made.close()


class _PostgreSql(_Door):
    def quoted(self, name: str) -> str:
        return sql.Identifier(name).as_string(None)

    def rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            if self.open is None:
                self.open = self._connected()
            found = self.open.execute(statement, values).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise self.wrong(str(error).splitlines()[0]) from None
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidPassword,
                psycopg.errors.InvalidAuthorizationSpecification) as error:  # fmt: skip
            raise self.denied(str(error).splitlines()[0]) from None
        except psycopg.Error as error:
            if "authentication failed" in str(error):
                raise self.denied("user or password is wrong") from None
            raise self.away(error) from None
        return [tuple(map(_plain, row)) for row in found]

    def _connected(self) -> psycopg.Connection[Any]:
        config = self.config
        mode: dict[str, Any] = {"sslmode": "disable"}
        if config.tls != "off":
            mode = {"sslmode": "verify-full", "sslrootcert": config.ca_file or "system"}
        made: psycopg.Connection[Any] = psycopg.connect(
            host=config.host, hostaddr=self.address(), port=config.port, dbname=config.database,
            user=config.user, password=config.password, connect_timeout=int(TIMEOUT_S),
            options=_OPTIONS, autocommit=True, keepalives_idle=20, **mode,
        )  # fmt: skip
        # Texts as the server writes them: no number goes through a float, no moment loses a digit.
        for name in ("numeric", "float4", "float8", "timestamp", "timestamptz", "date", "time"):
            made.adapters.register_loader(name, TextLoader)
        return made


class _MariaDb(_Door):
    def quoted(self, name: str) -> str:
        return f"`{name}`"

    def rows(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        driver = _pymysql()
        try:
            if self.open is None:
                self.open = self._connected(driver)
            with self.open.cursor() as cursor:
                cursor.execute(statement, values)
                found = cursor.fetchall()
        except driver.err.MySQLError as error:
            number = error.args[0] if error.args else 0
            said = str(error.args[-1] if error.args else error)[:200]
            if number in (1044, 1045, 1142, 1143):
                raise self.denied(said) from None
            if number in (1049, 1054, 1146):
                raise self.wrong(said) from None
            raise self.away(error) from None
        except OSError as error:
            raise self.away(error) from None
        return [tuple(map(_plain, row)) for row in found]

    def _connected(self, driver: Any) -> Any:
        config, whole = self.config, driver.constants.FIELD_TYPE
        convert = dict(driver.converters.encoders)
        convert |= dict.fromkeys(
            (whole.TINY, whole.SHORT, whole.LONG, whole.LONGLONG, whole.INT24, whole.YEAR), int
        )
        made = driver.connections.Connection(
            host=config.host, port=config.port, user=config.user, password=config.password,
            database=config.database, charset="utf8mb4", conv=convert, autocommit=True,
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, write_timeout=TIMEOUT_S,
            ssl=self._tls(), ssl_disabled=config.tls == "off", defer_connect=True,
            local_infile=False,
        )  # fmt: skip
        made.connect(_socket(self.address(), config.port))
        with made.cursor() as cursor:
            for statement in _SESSION:
                cursor.execute(statement)
        return made

    def _tls(self) -> ssl.SSLContext | None:
        if self.config.tls == "off":
            return None
        return ssl.create_default_context(cafile=self.config.ca_file or None)


def _plain(value: Any) -> Any:
    """Return a value as JSON can tell it without losing a digit."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        raw = bytes(value)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.hex()
    return str(value)


def _socket(address: str, port: int) -> socket.socket:
    made = socket.create_connection((address, port), TIMEOUT_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return made


def _pymysql() -> Any:
    """Return the driver, which comes with an extra. Raises Missing that says which."""
    try:
        import pymysql
        import pymysql.constants.FIELD_TYPE
    except ImportError:
        raise Missing(
            "no_driver", "reading MariaDB or MySQL needs a driver: install pipshare with its extra"
            " mysql (pip install 'pipshare[mysql]')",
        ) from None  # fmt: skip
    return pymysql
