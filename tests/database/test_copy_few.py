"""Few rows are copied by way of libpq itself: the same rows, and errors that leave no trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import psycopg
import pytest

from pipshare import db as door
from pipshare.errors import BadInput

TEXTS = ["", "é", None, "a longer text", "x"]


@pytest.fixture
def conn(db: Any) -> Any:
    with db.app() as found:
        found.execute("CREATE TEMPORARY TABLE few (n bigint, t text, a int[], m smallint UNIQUE)")
        yield found


def columns(count: int, first: int = 0) -> dict[str, door.Column]:
    texts = [TEXTS[i % len(TEXTS)] for i in range(count)]
    lengths = np.arange(count) % 4
    return {
        "n": door.Int8(np.arange(count)),
        "t": door.Text(pl.Series(texts, dtype=pl.String)),
        "a": door.Int4Array(np.arange(int(lengths.sum())), lengths),
        "m": door.Int2(np.arange(count) + first),
    }


@pytest.mark.parametrize("count", [1, 2, 7, 499, 500, 501, 1200])
def test_rows_come_out_as_they_went_in(conn: Any, count: int) -> None:
    assert door.copy_in(conn, "few", columns(count)) == count
    rows = conn.execute("SELECT n, t, a FROM few ORDER BY n").fetchall()
    flat = 0
    for n, (number, text, array) in enumerate(rows):
        assert (number, text) == (n, TEXTS[n % len(TEXTS)])
        assert array == list(range(flat, flat + n % 4))
        flat += n % 4
    assert len(rows) == count


def test_a_refused_row_raises_and_the_connection_goes_on(conn: Any) -> None:
    conn.commit()
    door.copy_in(conn, "few", columns(3))
    with pytest.raises(psycopg.errors.UniqueViolation):
        door.copy_in(conn, "few", columns(3))
    conn.rollback()
    assert conn.execute("SELECT count(*) FROM few").fetchone() == (0,)
    with pytest.raises(psycopg.errors.UndefinedTable):
        door.copy_in(conn, "fewer", columns(3))
    conn.rollback()
    door.copy_in(conn, "few", columns(2, 5))
    assert conn.execute("SELECT count(*) FROM few").fetchone() == (2,)


def test_a_text_with_a_nul_is_refused_however_few_there_are() -> None:
    for count in (1, 501):
        with pytest.raises(BadInput, match="NUL"):
            door.Text(pl.Series(["ok"] * (count - 1) + ["a\0b"]))
