"""Brings the schema up to date, as its owner. Up to date already, it costs one query."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from pipshare.db import connection, schema
from pipshare.errors import Conflict, Unavailable

_LOCK = 0x706970736861  # "pipsha"
_HISTORY = """
CREATE TABLE IF NOT EXISTS db_schema (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
"""


def migrate() -> list[str]:
    """Apply what is missing; return the names of the migrations applied, app.name.

    Several processes may call it at once: an advisory lock lets one work and the others wait.
    Raises Conflict when the database is newer than this program, Unavailable when the role of the
    application is missing and may not be created.
    """
    wanted = schema.digest(connection.settings().INSTALLED_APPS)
    with connection.connect("owner", autocommit=True, statement_timeout=0) as conn:
        if _current(conn) == wanted:
            return []
        conn.execute("SET lock_timeout = 0")
        conn.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        if _current(conn) == wanted:
            return []
        ensure_app_role(conn)
        conn.execute(schema.DEFAULTS)
        conn.execute(_HISTORY)
        applied = _run()
        for table in ("django_migrations", "db_schema"):
            conn.execute(
                sql.SQL("REVOKE INSERT ON {} FROM {}").format(
                    sql.Identifier(table), sql.Identifier(connection.APP_ROLE)
                )
            )
        conn.execute("INSERT INTO db_schema (digest) VALUES (%s)", [wanted])
        return applied


def ensure_app_role(conn: psycopg.Connection[Any]) -> None:
    """Make sure that pipshare_app exists and the application's login has it.

    In embedded mode it is a login role and exists. Elsewhere it is created NOLOGIN and granted to
    the login of DATABASE_URL, if the owner may do so; else Unavailable says what a DBA has to run.
    """
    login = conninfo_to_dict(connection.target().app).get("user") or conn.info.user
    app = sql.Identifier(connection.APP_ROLE)
    try:
        if not conn.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s", [connection.APP_ROLE]
        ).fetchone():
            with contextlib.suppress(psycopg.errors.DuplicateObject):
                conn.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(app))
        if login != connection.APP_ROLE and not _is_member(conn, str(login)):
            conn.execute(sql.SQL("GRANT {} TO {}").format(app, sql.Identifier(str(login))))
    except psycopg.errors.InsufficientPrivilege as error:
        raise Unavailable(
            "no_app_role",
            f"the database's owner may not create roles ({str(error).strip()}): let an "
            f"administrator run CREATE ROLE {connection.APP_ROLE}; "
            f'GRANT {connection.APP_ROLE} TO "{login}"; and start again',
        ) from None
    connection.may_take_app_role.cache_clear()


def _is_member(conn: psycopg.Connection[Any], login: str) -> bool:
    how = "SET" if conn.info.server_version >= 160000 else "MEMBER"
    row = conn.execute(
        "SELECT pg_has_role(l.oid, a.oid, %s) FROM pg_roles l, pg_roles a"
        " WHERE l.rolname = %s AND a.rolname = %s",
        [how, login, connection.APP_ROLE],
    ).fetchone()
    return bool(row and row[0])


def _current(conn: psycopg.Connection[Any]) -> str | None:
    try:
        row = conn.execute("SELECT digest FROM db_schema ORDER BY id DESC LIMIT 1").fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return row[0] if row else None


def _run() -> list[str]:
    """Run Django's migrations over the owner's connection."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipshare.settings")
    import django
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    if not apps.ready:
        django.setup()
    owner = connections["owner"]
    try:
        executor = MigrationExecutor(owner)
        before = set(executor.loader.applied_migrations)
        _refuse_newer(before, set(executor.loader.disk_migrations))
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        after = MigrationExecutor(owner).loader.applied_migrations
        return [f"{app}.{name}" for app, name in after if (app, name) not in before]
    finally:
        owner.close()


def _refuse_newer(applied: set[tuple[str, str]], known: set[tuple[str, str]]) -> None:
    ours = {app for app, _ in known}
    unknown = sorted(f"{app}.{name}" for app, name in applied - known if app in ours)
    if unknown:
        raise Conflict(
            "newer_database",
            f"the database has {', '.join(unknown)}, which this pipshare does not know: it was "
            "migrated by a newer version; run that one, or restore an older backup",
        )
