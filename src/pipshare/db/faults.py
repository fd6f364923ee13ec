"""Which errors of the database pass by themselves, and which are about what was asked of it."""

from __future__ import annotations

import psycopg

_LASTING = (
    psycopg.errors.ProgramLimitExceeded,  # a text too long for an index, say: it stays so
)


def is_passing(error: BaseException) -> bool:
    """Tell whether an error is of the database being away or busy: nothing sent is to blame.

    psycopg counts some that are about a row among the operational ones, too.
    """
    passing = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return passing and not isinstance(error, _LASTING)
