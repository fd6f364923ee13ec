"""What the stages' migration files are made of: SQL files and grants; and the schema's digest.

New tables give the application's role SELECT and INSERT by default; a migration that needs more,
for a queue or for what waits, says so with `grant`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import django

from pipshare.db.cluster import APP

if TYPE_CHECKING:
    from django.db.migrations import RunSQL

DEFAULTS = f"""
GRANT USAGE ON SCHEMA public TO {APP};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO {APP};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {APP};
"""


def run_file(migration: str, name: str = "0001_schema.sql") -> RunSQL:
    """Return the operation that runs the SQL file beside a migration; pass `__file__`."""
    from django.db.migrations import RunSQL  # here: Django takes 0.2 s to import

    return RunSQL(Path(migration).with_name(name).read_text(), RunSQL.noop)


def grant(privileges: str, table: str) -> RunSQL:
    """Return the operation that grants the application more than SELECT and INSERT."""
    from django.db.migrations import RunSQL

    return RunSQL(
        f"GRANT {privileges} ON {table} TO {APP}", f"REVOKE {privileges} ON {table} FROM {APP}"
    )


def watched(table: str, kind: str) -> RunSQL:
    """Return the operation that makes changes of `table` known as a change of `kind`.

    Those who keep what they read (pipeline.Run) then read it anew. Needs audit's 0002_changes.
    """
    from django.db.migrations import RunSQL

    return RunSQL(
        f"CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON {table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION audit_note_change('{kind}')",
        f"DROP TRIGGER audit_change ON {table}",
    )


def digest(apps: Iterable[str]) -> str:
    """Return a digest of everything that migrations come from: our files, Django, the apps."""
    apps = list(apps)
    seen = hashlib.sha256(f"{django.__version__} {apps} {DEFAULTS}".encode())
    root = Path(__file__).parents[1]
    places = [(root, "*/migrations/0*"), *((p, "migrations/0*.py") for p in _foreign(apps))]
    for place, pattern in places:
        for path in sorted(place.glob(pattern)):
            seen.update(f"\0{path.relative_to(place)}\0".encode())
            seen.update(path.read_bytes())
    return seen.hexdigest()


def _foreign(apps: Iterable[str]) -> list[Path]:
    """Return the folders of apps that are not ours, without importing them."""
    specs = [find_spec(app) for app in apps if not app.startswith("pipshare.")]
    return [Path(spec.origin).parent for spec in specs if spec is not None and spec.origin]
