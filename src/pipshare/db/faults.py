"""Which errors of the database pass by themselves, and what may be said of any error."""

from __future__ import annotations

import os
import traceback

import psycopg

from pipshare.errors import PipshareError

_LASTING = (
    psycopg.errors.ProgramLimitExceeded,  # a text too long for an index, say: it stays so
)


def is_passing(error: BaseException) -> bool:
    """Tell whether an error is of the database being away or busy: nothing sent is to blame.

    psycopg counts some that are about a row among the operational ones, too.
    """
    passing = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return passing and not isinstance(error, _LASTING)


def said_of(error: BaseException) -> str:
    """Return what may be logged and shown of an error: it quotes nothing that was sent or stored.

    An own message is written for people; of a lost or refused connection libpq's words name the
    host and the database at most. What any other error says may quote a row, a file or a partner's
    name: of it only its name is told, with the database's or the system's own code.
    """
    name = type(error).__name__
    if isinstance(error, PipshareError):
        return error.message
    if isinstance(error, psycopg.Error):
        if error.sqlstate:
            return f"{name} ({error.sqlstate})"
        first = str(error).strip().partition("\n")[0]
        return f"{name}: {first}" if first and isinstance(error, psycopg.OperationalError) else name
    if isinstance(error, OSError) and error.errno:
        return f"{name} ({os.strerror(error.errno)})"
    return name


def where(error: BaseException) -> str:
    """Return where an error came from as a traceback's lines, without its words."""
    return "".join(traceback.format_tb(error.__traceback__))
