"""The web's tables come with the others, also into an old data folder, with their rights."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from pipshare import db as pg
from pipshare.db import schema

CHANGED = {
    "people_user": {"UPDATE"},
    "django_session": {"UPDATE", "DELETE"},
    "mfa_authenticator": {"UPDATE", "DELETE"},
    "web_cache": {"UPDATE", "DELETE"},
}
OTHERS = ("django_", "auth_", "account_", "mfa_", "web_", "people_user")
FOREIGN = (*OTHERS, "people_")


def _rights(conn: psycopg.Connection[Any]) -> dict[str, set[str]]:
    rows = conn.execute(
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee = 'pipshare_app' AND privilege_type NOT IN ('SELECT', 'INSERT')"
    ).fetchall()
    found: dict[str, set[str]] = {}
    for table, right in rows:
        if table.startswith(OTHERS):
            found.setdefault(table, set()).add(right)
    return found


def test_the_application_changes_sessions_people_and_factors_only(module_db: Any) -> None:
    with module_db.owner() as conn:
        assert _rights(conn) == CHANGED


def test_an_old_database_is_brought_up(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As released before there was a web: none of its tables, and an older digest."""
    with db.owner() as conn:
        names = [
            name for (name,) in conn.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ) if name.startswith(FOREIGN) and name != "django_migrations"
        ]  # fmt: skip
        assert len(names) > 8
        conn.execute(f"DROP TABLE {', '.join(names)} CASCADE")
        conn.execute(
            "DELETE FROM django_migrations WHERE app IN ('people', 'web', 'auth', 'contenttypes',"
            " 'sessions', 'account', 'mfa')"
        )
        conn.execute("INSERT INTO db_schema (digest) VALUES ('as of 0.1.0')")
        conn.execute("INSERT INTO audit_event (actor, action, subject) VALUES ('a', 'kept', 'c')")
    applied = pg.migrate()
    assert {"people.0001_initial", "web.0001_rights", "mfa.0001_initial"} <= set(applied)
    assert pg.migrate() == []
    with db.owner() as conn:
        assert _rights(conn) == CHANGED
        kept = conn.execute("SELECT count(*) FROM audit_event WHERE action = 'kept'").fetchone()
    assert kept == (1,)


def test_the_digest_follows_other_packages_migrations(tmp_path: Any, monkeypatch: Any) -> None:
    folder = tmp_path / "otherapp/migrations"
    folder.mkdir(parents=True)
    (tmp_path / "otherapp/__init__.py").touch()
    (folder / "0001_initial.py").write_text("one")
    monkeypatch.syspath_prepend(tmp_path)
    first = schema.digest(["otherapp"])
    (folder / "0002_more.py").write_text("two")
    assert schema.digest(["otherapp"]) != first


def test_migrations_say_what_the_models_say(site: Any) -> None:
    from django.core.management import call_command

    call_command("makemigrations", "people", "web", check=True, dry_run=True, verbosity=0)


def test_the_command_line_does_without_the_web() -> None:
    import subprocess
    import sys

    said = subprocess.run(
        [sys.executable, "-c", "import pipshare.cli.main, pipshare.settings, pipshare.db, sys;"
         "print([m for m in sys.modules if m.split('.')[0] in"
         " ('allauth', 'gunicorn', 'ninja', 'csp', 'whitenoise', 'django_htmx')"
         " or m in ('django.http', 'django.urls', 'django.template')])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout == "[]\n"
