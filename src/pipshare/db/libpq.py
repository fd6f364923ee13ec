"""COPY by libpq itself, for what is small or comes in many messages.

psycopg's copy object waits for each message anew and starts a thread for what it sends; either
costs more than a small COPY, and ten times as much for many rows that are received.
"""

from __future__ import annotations

from select import POLLIN, POLLOUT, poll
from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus


def receive(conn: psycopg.Connection[Any], statement: bytes) -> bytes:
    """Return all that a COPY TO STDOUT sends, in the connection's transaction."""
    pgconn = conn.pgconn
    _begin(conn, statement, ExecStatus.COPY_OUT)
    rows: list[bytes] = []
    take, read = rows.append, pgconn.get_copy_data
    while True:
        size, row = read(0)
        if size < 0:
            break
        take(bytes(row))
    _end(conn)
    return b"".join(rows)


def send(conn: psycopg.Connection[Any], statement: bytes, body: bytes) -> None:
    """Send a COPY FROM STDIN with all its bytes, in the connection's transaction."""
    _begin(conn, statement, ExecStatus.COPY_IN)
    conn.pgconn.put_copy_data(body)
    conn.pgconn.put_copy_end()
    _await(conn)
    _end(conn)


def _await(conn: psycopg.Connection[Any]) -> None:
    """Wait for the answer: get_result would keep all other threads waiting, too."""
    pgconn = conn.pgconn
    while (unsent := pgconn.flush()) or pgconn.is_busy():
        watched = poll()
        watched.register(pgconn.socket, POLLIN | (POLLOUT if unsent else 0))
        if any(event & ~POLLOUT for _, event in watched.poll()):
            pgconn.consume_input()


def _begin(conn: psycopg.Connection[Any], statement: bytes, wanted: ExecStatus) -> None:
    pgconn = conn.pgconn
    if not conn.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
        _done(conn, pgconn.exec_(b"BEGIN"), ExecStatus.COMMAND_OK)
    _done(conn, pgconn.exec_(statement), wanted)


def _end(conn: psycopg.Connection[Any]) -> None:
    _done(conn, conn.pgconn.get_result(), ExecStatus.COMMAND_OK)
    while conn.pgconn.get_result() is not None:
        pass


def _done(conn: psycopg.Connection[Any], result: Any, wanted: ExecStatus) -> None:
    if result is None or result.status != wanted:
        while conn.pgconn.get_result() is not None:
            pass
        if result is None:
            raise psycopg.OperationalError("the connection was lost")
        raise psycopg.errors.error_from_result(result, conn.info.encoding)
