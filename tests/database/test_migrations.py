"""Migrations: from nothing, again, at once by several, and what each role may do afterwards."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pipshare import db as pg
from pipshare.db import connection, schema
from pipshare.errors import Conflict, Unavailable

QUEUES = {  # what waits, and what ends: sessions, counted attempts
    "inbox_batch",
    "clients_event_waiting",
    "clients_touched",
    "inbox_unseen",
    "rating_due",
    "rating_request",
    "rating_waiting",
    "rating_window_waiting",
    "attribution_waiting",
    "trades_waiting",
    "django_session",
    "mfa_authenticator",
    "web_cache",
}
OPEN_TO_UPDATE = QUEUES | {
    "audit_proposal",
    "clients_execution",
    "clients_identity",
    "clients_milestone",
    "inbox_alert",
    "inbox_cursor",
    "inbox_endpoint",
    "inbox_endpoint_secret",
    "inbox_endpoint_status",
    "inbox_source",
    "inbox_source_lag",
    "inbox_source_status",
    "inbox_tracker",
    "outbox_delivery",
    "outbox_health",
    "outbox_receiver",
    "outbox_request",
    "outbox_secret",
    "people_user",
}
OPEN_TO_DELETE = QUEUES | {
    "audit_change",
    "clients_execution_due",
    "inbox_payload_body",
    "inbox_payload_due",
    "inbox_payload_waiting",
    "inbox_postback_due",
    "inbox_request",
    "inbox_salt",
    "outbox_request",
    "outbox_unsent",
    "partners_acceptance_person",
    "partners_applicant",
    "partners_application_note",
}
DUMP = """
SELECT table_name, column_name, data_type, is_nullable, column_default
  FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2
"""


@pytest.fixture
def empty(test_server: Any) -> Any:
    """A database of the owner's with nothing in it."""
    name = f"test_empty_{uuid.uuid4().hex[:12]}"
    owner = psycopg.conninfo.conninfo_to_dict(test_server.owner)["user"]
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with test_server.administer() as conn:
        conn.execute(drop)
        conn.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(
                sql.Identifier(name), sql.Identifier(str(owner))
            )
        )
    with pg.use(test_server.target(name)):
        yield test_server.target(name)
    with test_server.administer() as conn:
        conn.execute(drop)


def test_from_nothing_gives_what_the_template_has_and_again_does_nothing(
    empty: Any, db: Any
) -> None:
    with pg.use(empty):
        applied = pg.migrate()
        assert {"audit.0001_initial", "ledger.0001_initial"} <= set(applied)
        assert pg.migrate() == []
        with pg.connect() as conn:
            made = conn.execute(DUMP).fetchall()
    with db.app() as conn:
        assert made == conn.execute(DUMP).fetchall()


def test_several_at_once_migrate_once(empty: Any) -> None:
    applied: list[str] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            applied.extend(pg.migrate())
        except BaseException as error:
            failed.append(error)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failed
    assert len(applied) == len(set(applied)) > 0


def test_a_newer_database_is_refused(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.owner() as conn:
        conn.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('ledger', '0999_future', now())"
        )
    monkeypatch.setattr(schema, "digest", lambda apps: "another")
    with pytest.raises(Conflict, match=r"ledger\.0999_future"):
        pg.migrate()


def test_the_digest_follows_the_files(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "stage/migrations"
    folder.mkdir(parents=True)
    (folder / "0001_schema.sql").write_text("SELECT 1")
    monkeypatch.setattr(schema, "__file__", str(tmp_path / "db/schema.py"))
    first = schema.digest(["a"])
    assert schema.digest(["a"]) == first
    assert schema.digest(["a", "b"]) != first
    (folder / "0001_schema.sql").write_text("SELECT 2")
    assert schema.digest(["a"]) != first


def test_the_application_adds_and_reads_and_changes_only_queues(module_db: Any) -> None:
    with module_db.app() as conn:
        rows = conn.execute(
            "SELECT c.relname, has_table_privilege(c.oid, 'SELECT'),"
            " has_table_privilege(c.oid, 'INSERT'), has_table_privilege(c.oid, 'UPDATE'),"
            " has_table_privilege(c.oid, 'DELETE'), has_table_privilege(c.oid, 'TRUNCATE')"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname = 'public' AND relkind IN ('r', 'p')"
        ).fetchall()
    assert len(rows) > 30
    for name, select, insert, update, delete, truncate in rows:
        assert select, name
        assert insert == (name not in ("django_migrations", "db_schema")), name
        assert update == (name in OPEN_TO_UPDATE), name
        assert delete == (name in OPEN_TO_DELETE), name
        assert not truncate, name


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (n int)",
        "DROP TABLE market_entity",
        "TRUNCATE market_entity",
        "UPDATE market_entity SET code = 'x'",
        "DELETE FROM audit_event",
        "ALTER TABLE market_entity ADD COLUMN x int",
        "SET ROLE pipshare_owner",
        "COPY market_entity TO PROGRAM 'true'",
    ],
)
def test_the_application_may_not(module_db: Any, statement: str) -> None:
    if module_db.target.app_role and statement.startswith("SET ROLE"):
        pytest.skip("one login for both roles can go back to itself: see decision 0008")
    with module_db.app() as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)


def test_what_is_booked_is_changed_in_no_column(module_db: Any) -> None:
    """Grants on single columns are for reference data, never for facts, lines or the ledger."""
    with module_db.app() as conn:
        rows = conn.execute(
            "SELECT DISTINCT table_name FROM information_schema.column_privileges"
            " WHERE grantee = 'pipshare_app' AND privilege_type = 'UPDATE'"
        ).fetchall()
    changed = {name for (name,) in rows} - OPEN_TO_UPDATE
    assert not [n for n in changed if n.split("_")[0] in ("ledger", "rating", "trades", "inbox")]


def test_the_application_may_make_temporary_tables(module_db: Any) -> None:
    with module_db.app() as conn:
        conn.execute("CREATE TEMP TABLE t (n int) ON COMMIT DROP")


def test_one_login_takes_the_application_s_role(test_server: Any, empty: Any) -> None:
    """DATABASE_URL alone: the DBA is told what to run; then application connections SET ROLE."""
    name = str(psycopg.conninfo.conninfo_to_dict(empty.owner)["dbname"])
    with test_server.administer() as conn:
        conn.execute("DROP ROLE IF EXISTS test_single")
        conn.execute("CREATE ROLE test_single LOGIN PASSWORD 'single'")
        give = sql.SQL("ALTER DATABASE {} OWNER TO test_single").format(sql.Identifier(name))
        conn.execute(give)
        login = make_conninfo(empty.owner, user="test_single", password="single")
        with pg.use(pg.Target(login, login)):
            with pytest.raises(Unavailable, match='GRANT pipshare_app TO "test_single"'):
                pg.migrate()
            conn.execute('GRANT pipshare_app TO "test_single"')
            assert pg.migrate()
        assert connection.may_take_app_role(login)
        single = pg.Target(login, login, connection.APP_ROLE)
        refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
        with pg.use(single), pg.connect() as app, refused:
            app.execute("DELETE FROM audit_event")
        conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        conn.execute("DROP ROLE test_single")
