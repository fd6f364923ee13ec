"""Work out by hand for a page: one at a time, with what was read of programmes and rates kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg

from pipshare.errors import PipshareError
from pipshare.pipeline import Run

T = TypeVar("T")
_one_at_a_time = threading.Lock()
_runs: dict[tuple[Any, ...], Run] = {}


def work_out(conn: psycopg.Connection[Any], ask: Callable[[Run], T]) -> T:
    """Return what `ask` says, given a run on this connection; others who ask wait."""
    with _one_at_a_time:
        try:
            return ask(_run(conn))
        except PipshareError:
            raise
        except BaseException:
            _runs.clear()  # half read, perhaps: read it anew next time
            raise


def _run(conn: psycopg.Connection[Any]) -> Run:
    """Return what explanations read of programmes and rates, kept from one to the next."""
    key = (conn.info.host, conn.info.port, conn.info.dbname)
    run = _runs.get(key)
    if run is None:
        _runs.clear()
        run = _runs[key] = Run(conn)
        return run
    run.conn = conn
    run.current()
    return run
