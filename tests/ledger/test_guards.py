"""The ledger attacked: by the application's role and by the owner of the schema."""

from __future__ import annotations

from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import errors

from pipshare import ledger
from pipshare.ledger.accounts import Key

TABLES = ("ledger_account", "ledger_transfer", "ledger_leg", "rating_entry")


def _column(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def _accounts(conn: psycopg.Connection, currency: str = "USD", entity: int = 1) -> list[int]:
    keys = [Key(entity, "partner", 5, currency, "accrued"),
            Key(entity, "house", 0, currency, "expense")]  # fmt: skip
    return ledger.Accounts().ids(conn, keys)


def _post(conn: psycopg.Connection, amount: int = 700) -> tuple[int, list[int]]:
    payee, house = _accounts(conn)
    posting = ledger.post(
        conn, entity_id=1, kind="accrual", cause="test", day=_column(20_000),
        account=_column(payee), contra=_column(house), amount_e8=_column(amount),
    )  # fmt: skip
    return int(posting.transfer[0]), [payee, house]


def _leg(conn: psycopg.Connection, transfer: int, account: int, amount: int) -> None:
    conn.execute("INSERT INTO ledger_leg VALUES (%s, %s, %s)", (transfer, account, amount))


@pytest.fixture
def books(db: Any) -> Any:
    """A database with one transfer posted and committed."""
    with db.app() as conn:
        _post(conn)
    return db


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "attack", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"]
)
def test_neither_role_can_change_what_is_booked(books: Any, table: str, attack: str) -> None:
    column = {"ledger_account": "currency", "ledger_transfer": "cause", "ledger_leg": "amount_e8",
              "rating_entry": "amount_e8"}[table]  # fmt: skip
    statement = attack.format(table, column)
    with books.app() as conn, pytest.raises(errors.InsufficientPrivilege):
        conn.execute(statement)
    with books.owner() as conn, pytest.raises(errors.RestrictViolation, match="append-only"):
        conn.execute(statement)


def test_the_application_cannot_switch_the_guards_off(books: Any) -> None:
    for statement in (
        "ALTER TABLE ledger_leg DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TRIGGER ledger_leg_balanced ON ledger_leg",
        "SET ROLE pipshare_owner",
    ):
        with books.app() as conn, pytest.raises(errors.InsufficientPrivilege):
            conn.execute(statement)


def test_an_unbalanced_statement_is_refused(books: Any) -> None:
    with books.app() as conn:
        transfer, _ = _post(conn)
        other, _ = _accounts(conn, "EUR")
        with pytest.raises(errors.CheckViolation, match="does not balance"):
            _leg(conn, transfer, other, 5)


def test_balance_is_checked_per_currency(db: Any) -> None:
    with db.app() as conn:
        dollars, _ = _accounts(conn, "USD")
        euros, _ = _accounts(conn, "EUR")
        with pytest.raises(errors.CheckViolation, match="does not balance"):
            ledger.post(
                conn, entity_id=1, kind="accrual", cause="mixed", day=_column(20_000),
                account=_column(dollars), contra=_column(euros), amount_e8=_column(100),
            )  # fmt: skip


def test_a_committed_transfer_takes_no_more_legs(books: Any) -> None:
    more = (
        "INSERT INTO ledger_leg SELECT (SELECT min(id) FROM ledger_transfer), a, v"
        " FROM (VALUES (%s::int, 5), (%s, -5)) AS x(a, v)"
    )
    with books.app() as conn:
        accounts = _accounts(conn, "EUR")
        with pytest.raises(errors.RestrictViolation, match="closed"):
            conn.execute(more, accounts)


def test_nobody_can_claim_another_transactions_number(db: Any) -> None:
    with db.app() as conn, conn.transaction(force_rollback=True):
        row = conn.execute(
            "INSERT INTO ledger_transfer (entity_id, kind, earned_day, period, xid, booked_at)"
            " VALUES (1, 'accrual', '2026-11-02', '2026-11', '3', '2020-01-01')"
            " RETURNING xid = pg_current_xact_id(), booked_at = now()"
        ).fetchone()
        assert row == (True, True)


def test_a_transfer_without_legs_fails_at_commit(db: Any) -> None:
    conn = db.app()
    conn.execute(
        "INSERT INTO ledger_transfer (entity_id, kind, earned_day, period)"
        " VALUES (1, 'accrual', '2026-11-02', '2026-11')"
    )
    with pytest.raises(errors.CheckViolation, match="at least two"):
        conn.commit()
    conn.close()


def test_immediate_constraints_open_no_gap(db: Any) -> None:
    """Firing the commit check early must not let an unbalanced leg in afterwards."""
    with db.app() as conn:
        transfer, _ = _post(conn)
        conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
        other, _ = _accounts(conn, "EUR")
        with pytest.raises(errors.CheckViolation, match="does not balance"):
            _leg(conn, transfer, other, 9)


def test_a_transfer_stays_inside_its_entity(db: Any) -> None:
    with db.owner() as conn:
        row = conn.execute(
            "INSERT INTO market_entity (code) VALUES ('two') RETURNING id"
        ).fetchone()
    with db.app() as conn:
        payee, house = _accounts(conn, entity=row[0])
        with pytest.raises(errors.CheckViolation, match="crosses entities"):
            ledger.post(
                conn, entity_id=1, kind="accrual", cause="x", day=_column(20_000),
                account=_column(payee), contra=_column(house), amount_e8=_column(100),
            )  # fmt: skip


def test_a_leg_needs_its_transfer_and_its_account(db: Any) -> None:
    pair = "INSERT INTO ledger_leg VALUES (%s, %s, 5), (%s, %s, -5)"
    with db.app() as conn:
        payee, house = _accounts(conn)
        with pytest.raises(errors.ForeignKeyViolation):
            conn.execute(pair, (999, payee, 999, house))
    with db.app() as conn:
        transfer, _ = _post(conn)
        with pytest.raises(errors.ForeignKeyViolation):
            conn.execute(pair, (transfer, 998, transfer, 999))


def test_verify_counts_and_finds_nothing_in_whole_books(books: Any) -> None:
    with books.app() as conn:
        assert ledger.verify(conn) == ([], (1, 2))


def test_verify_names_a_break_that_the_guards_would_refuse(books: Any) -> None:
    """A superuser can do anything; then verify must say what was done."""
    with books.owner() as conn:
        conn.execute("ALTER TABLE ledger_leg DISABLE TRIGGER USER")
        conn.execute("UPDATE ledger_leg SET amount_e8 = amount_e8 + 1 WHERE amount_e8 > 0")
        conn.execute("ALTER TABLE ledger_leg ENABLE TRIGGER USER")
    with books.app() as conn:
        breaks, _ = ledger.verify(conn)
    assert {one.check for one in breaks} == {"balance", "law"}
    assert "transfer" in breaks[0].message
