"""One read-only transaction per page: what stands on a page was true at one moment.

The connections are pipshare's own, not Django's: the stages' functions read jsonb as objects and
bind on the server, which Django's connections do not. A pool per process keeps them open.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from pipshare import db
from pipshare.db import connection
from pipshare.errors import Unavailable

_ROOM = 8  # connections of one process, at most: as many as threads that serve
_PATIENCE_S = 10.0
_LIMIT = "20s"  # a page that takes longer is a mistake, and must not hold the database
_pools: dict[tuple[int, db.Target], ConnectionPool[Any]] = {}
_one_thread = threading.Lock()


@contextlib.contextmanager
def reading() -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection of the application's role in a read-only transaction.

    Every statement in it sees the same moment (repeatable read). Raises Unavailable when the
    database does not answer.
    """
    try:
        with _pool().connection(timeout=_PATIENCE_S) as conn:
            conn.read_only = True
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            yield conn
    except PoolTimeout:
        raise Unavailable("no_database", "the database does not answer; try again soon") from None


@contextlib.contextmanager
def trying() -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection like that of `reading`, which may also put together temporary tables.

    For pages that work out anew what is booked. Nothing of it is kept: it is rolled back.
    """
    try:
        with _pool().connection(timeout=_PATIENCE_S) as conn:
            conn.read_only = None
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            try:
                yield conn
            finally:
                conn.rollback()
    except PoolTimeout:
        raise Unavailable("no_database", "the database does not answer; try again soon") from None


@contextlib.contextmanager
def writing() -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection in one transaction: committed at the end, rolled back on an error."""
    try:
        with _pool().connection(timeout=_PATIENCE_S) as conn:
            conn.read_only = None
            conn.isolation_level = None
            yield conn
    except PoolTimeout:
        raise Unavailable("no_database", "the database does not answer; try again soon") from None


def close() -> None:
    """Close this process's pools: at its end, and between tests."""
    with _one_thread:
        pools = [_pools.pop(key) for key in list(_pools) if key[0] == os.getpid()]
    for pool in pools:
        pool.close(timeout=2.0)


def _pool() -> ConnectionPool[Any]:
    key = (os.getpid(), db.target())  # a fork of a server must not use its parent's sockets
    with _one_thread:
        if key not in _pools:
            _pools[key] = ConnectionPool(
                kwargs=lambda: connection.parameters("app", statement_timeout=_LIMIT),
                min_size=0,
                max_size=_ROOM,
                max_idle=120.0,
                num_workers=1,
                check=ConnectionPool.check_connection,
                name="pages",
                open=True,
            )
        return _pools[key]
