"""Settings: the environment, parsed strictly, and what Django needs to know.

A variable that begins with PIPSHARE_ and is not known is an error that names it: a misspelt setting
must not be ignored. Empty values count as not given.
"""

from __future__ import annotations

import difflib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import lazy

KNOWN = {
    "PIPSHARE_DATA": "the data folder",
    "PIPSHARE_OWNER_DATABASE_URL": "the database as its owner, who migrates",
    "PIPSHARE_POSTGRES_BIN": "folder with initdb and postgres for the embedded server",
    "PIPSHARE_SECRET_KEY": "key for signatures, 32 characters or more",
    "PIPSHARE_SECRET_KEY_FILE": "file that holds that key",
    "PIPSHARE_TEST_DATABASE_URL": "the server that tests use; read by tests only",
    "PIPSHARE_TEST_LONG": "runs the long tests, too; read by tests only",
}


@dataclass(frozen=True)
class Environment:
    """What the environment says. URLs are libpq connection strings, None where not given."""

    data: Path
    database_url: str | None
    owner_database_url: str | None
    postgres_bin: Path | None
    secret_key: str | None
    secret_key_file: Path | None


def load(environ: Mapping[str, str], *, here: Path | None = None) -> Environment:
    """Parse `environ`. Raises ImproperlyConfigured that names the variable and what to do."""
    given = {key: value.strip() for key, value in environ.items() if value.strip()}
    for name in sorted(k for k in given if k.startswith("PIPSHARE_") and k not in KNOWN):
        close = difflib.get_close_matches(name, KNOWN, n=1)
        hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(KNOWN)}"
        raise ImproperlyConfigured(f"{name} is not a setting of pipshare{hint}")
    if "PIPSHARE_OWNER_DATABASE_URL" in given and "DATABASE_URL" not in given:
        raise ImproperlyConfigured(
            "PIPSHARE_OWNER_DATABASE_URL is given but DATABASE_URL, the application's role, is not"
        )
    key = given.get("PIPSHARE_SECRET_KEY")
    if key is not None and len(key) < 32:
        raise ImproperlyConfigured("PIPSHARE_SECRET_KEY is shorter than 32 characters")
    data = given.get("PIPSHARE_DATA")
    return Environment(
        data=Path(data).expanduser().absolute() if data else _home(here) / ".pipshare",
        database_url=_url(given, "DATABASE_URL"),
        owner_database_url=_url(given, "PIPSHARE_OWNER_DATABASE_URL"),
        postgres_bin=_path(given, "PIPSHARE_POSTGRES_BIN"),
        secret_key=key,
        secret_key_file=_path(given, "PIPSHARE_SECRET_KEY_FILE"),
    )


def secret_key(env: Environment) -> str:
    """The signing key: given, read from a file, or made once in the data folder (0600)."""
    if env.secret_key:
        return env.secret_key
    path = env.secret_key_file or env.data / "secret_key"
    if env.secret_key_file is None and not path.exists():
        env.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = path.with_name(f"secret_key.{os.getpid()}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(48))
        try:
            os.link(made, path)  # fails when another process was first: its key counts
        except FileExistsError:
            pass
        finally:
            made.unlink()
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"cannot read the secret key {path}: {error.strerror}") from None


def _home(here: Path | None) -> Path:
    """The project's root when run from a checkout, else the current folder."""
    root = (here or Path(__file__).resolve()).parents[2]
    return root if (root / "pyproject.toml").exists() and (root / "src").is_dir() else Path.cwd()


def _path(given: Mapping[str, str], key: str) -> Path | None:
    return Path(given[key]).expanduser().absolute() if key in given else None


def _url(given: Mapping[str, str], key: str) -> str | None:
    url = given.get(key)
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured(
            f"{key} must begin with postgresql:// (PostgreSQL 15 or newer is the one database)"
        )
    return url


ENV = load(os.environ)

SECRET_KEY = lazy(secret_key, str)(ENV)
INSTALLED_APPS = [
    f"pipshare.{name}"
    for name in (
        "audit",
        "market",
        "clients",
        "partners",
        "plans",
        "inbox",
        "trades",
        "attribution",
        "rating",
        "ledger",
    )
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {"ENGINE": "pipshare.db.backend", "NAME": "app"},
    "owner": {"ENGINE": "pipshare.db.backend", "NAME": "owner"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
