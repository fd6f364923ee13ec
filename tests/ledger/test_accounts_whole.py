"""Accounts read at once: made when missing, found when others made them, forgotten when undone."""

from __future__ import annotations

from typing import Any

import pytest

from pipshare.ledger.accounts import HOUSE, Accounts, Key


@pytest.fixture
def conn(db: Any) -> Any:
    with db.app() as found:
        found.execute("INSERT INTO market_entity (code, name, currency, clock)"
                      " VALUES ('E', 'E', 'USD', 'UTC')")  # fmt: skip
        found.commit()
        yield found


def keys(conn: Any) -> list[Key]:
    (entity,) = conn.execute("SELECT id FROM market_entity WHERE code = 'E'").fetchone()
    return [Key(entity, "house", HOUSE, one, "expense") for one in ("USD", "EUR")]


def test_made_accounts_are_found_by_whoever_read_before_they_were_made(conn: Any) -> None:
    usd, eur = keys(conn)
    early = Accounts(whole=True)
    (first,) = early.ids(conn, [usd])
    made = Accounts().ids(conn, [usd, eur])  # one is there, one is not
    assert made[0] == first
    assert early.ids(conn, [usd, eur]) == made
    assert Accounts(whole=True).ids(conn, [eur, usd]) == made[::-1]


def test_after_a_rollback_and_forget_they_are_made_again(conn: Any) -> None:
    accounts = Accounts(whole=True)
    accounts.ids(conn, keys(conn))
    conn.rollback()
    accounts.forget()
    numbers = accounts.ids(conn, keys(conn))
    stored = conn.execute("SELECT id FROM ledger_account").fetchall()
    assert sorted(number for (number,) in stored) == sorted(numbers)
