"""Connections: which database, which role, with limits on waiting.

Three cases. No DATABASE_URL: the embedded server in the data folder, with its two login roles.
DATABASE_URL and PIPSHARE_OWNER_DATABASE_URL: those. DATABASE_URL alone: it serves as both, and the
application's connections take the role pipshare_app (SET ROLE) where there is one it may take.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, Literal

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from pipshare.db import cluster, embedded
from pipshare.errors import BadInput, Unavailable

Role = Literal["app", "owner"]
APP_ROLE = cluster.APP

LIMITS = {
    "lock_timeout": "60s",
    "statement_timeout": "30min",
    "idle_in_transaction_session_timeout": "30min",
    "timezone": "UTC",
    "datestyle": "ISO",
    "client_min_messages": "warning",
}


@dataclass(frozen=True, repr=False)
class Target:
    """Where to connect: a connection string per role, and a role for the application to take."""

    app: str
    owner: str
    app_role: str | None = None


_override: list[Target] = []
_embedded: list[Target] = []


def connect(role: Role = "app", **options: Any) -> psycopg.Connection[Any]:
    """Open a connection, autocommit off.

    `options` are settings of the session for the names in LIMITS, else arguments of
    psycopg.connect. Raises Unavailable when the database does not answer.
    """
    try:
        return psycopg.connect(**parameters(role, **options))
    except psycopg.OperationalError as error:
        if not _embedded or _override:
            raise Unavailable("no_database", f"the database does not answer: {error}") from error
    _embedded.clear()  # its keeper was killed, perhaps: start it again, once
    try:
        return psycopg.connect(**parameters(role, **options))
    except psycopg.OperationalError as error:
        raise Unavailable("no_database", f"the database does not answer: {error}") from error


@contextlib.contextmanager
def transaction(role: Role = "app", **options: Any) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection of one transaction: committed at the end, rolled back on an error."""
    with connect(role, **options) as conn:
        yield conn


def parameters(role: Role, **options: Any) -> dict[str, Any]:
    """Return the arguments for psycopg.connect; `options` as for connect."""
    where = target()
    session = {key: str(options.pop(key, value)) for key, value in LIMITS.items()}
    if role == "app" and where.app_role:
        session["role"] = where.app_role
    given = conninfo_to_dict(where.app if role == "app" else where.owner)
    settings = " ".join(f"-c {key}={value}" for key, value in session.items())
    given["options"] = f"{settings} {given.get('options', '')}".strip()
    return {"application_name": "pipshare", "connect_timeout": 10, **given, **options}


def target() -> Target:
    """Return where to connect, starting the embedded server when it is ours to start."""
    if _override:
        return _override[-1]
    if _embedded:
        return _embedded[-1]
    env = settings().ENV
    if env.database_url is None:
        server = embedded.attach(env.data / "database", postgres_bin=env.postgres_bin)
        _embedded.append(Target(server.conninfo(cluster.APP), server.conninfo(cluster.OWNER)))
        return _embedded[-1]
    if env.owner_database_url is not None:
        return Target(env.database_url, env.owner_database_url)
    role = APP_ROLE if may_take_app_role(env.database_url) else None
    return Target(env.database_url, env.database_url, role)


def settings() -> ModuleType:
    """Return pipshare.settings. Raises BadInput when the environment is not in order."""
    try:
        from pipshare import settings
    except ImproperlyConfigured as error:
        raise BadInput("bad_settings", str(error)) from None
    return settings


@lru_cache(maxsize=4)
def may_take_app_role(url: str) -> bool:
    """Whether the login of `url` may SET ROLE pipshare_app. Asked once per process."""
    try:
        with psycopg.connect(url, connect_timeout=10, autocommit=True) as conn:
            how = "SET" if conn.info.server_version >= 160000 else "MEMBER"
            row = conn.execute(
                "SELECT pg_has_role(oid, %s) FROM pg_roles WHERE rolname = %s", [how, APP_ROLE]
            ).fetchone()
    except psycopg.OperationalError as error:
        raise Unavailable("no_database", f"the database does not answer: {error}") from error
    return bool(row and row[0])


@contextlib.contextmanager
def use(where: Target) -> Iterator[None]:
    """Send connections elsewhere while the block runs: for tests, which bring a database."""
    _override.append(where)
    try:
        yield
    finally:
        _override.remove(where)
