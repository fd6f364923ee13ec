"""Which errors of the database pass by themselves."""

from __future__ import annotations

import psycopg
import pytest

from pipshare import db


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (psycopg.OperationalError("the connection is lost"), True),
        (psycopg.InterfaceError("the connection is closed"), True),
        (psycopg.errors.DeadlockDetected(), True),
        (psycopg.errors.ProgramLimitExceeded(), False),
        (psycopg.errors.UniqueViolation(), False),
        (ValueError(), False),
    ],
)
def test_what_passes_by_itself(error: BaseException, passes: bool) -> None:
    assert db.is_passing(error) is passes
