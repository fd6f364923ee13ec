"""Settings: the environment, parsed strictly, and what Django needs to know.

A variable that begins with PIPSHARE_ and is not known is an error that names it: a misspelt setting
must not be ignored. Empty values count as not given.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.functional import lazy

KNOWN = {
    "PIPSHARE_COUNTRY_HEADER": "the header in which a proxy of yours names a visitor's country",
    "PIPSHARE_DATA": "the data folder",
    "PIPSHARE_EGRESS_ALLOW": "networks (10.1.0.0/16, with commas between) to which messages may go"
    " although they are private or local, there also by http://",
    "PIPSHARE_ENCRYPTION_KEYS": "keys that seal stored secrets, 32 characters or more each, with"
    " commas between; the first seals, all open",
    "PIPSHARE_ENCRYPTION_KEYS_FILE": "file that holds those keys, one a line",
    "PIPSHARE_MAIL_URL": "where mail is handed over: smtps://user:password@host:465?from=a@b.c",
    "PIPSHARE_OWNER_DATABASE_URL": "the database as its owner, who migrates",
    "PIPSHARE_PROXIES": "how many reverse proxies of yours stand before the web server; 0",
    "PIPSHARE_URL": "the address that people type: https://ib.example.com",
    "PIPSHARE_QUOTE_AGE": "seconds for which an imported quote tells of trades after it; 60",
    "PIPSHARE_POSTGRES_BIN": "folder with initdb and postgres for the embedded server",
    "PIPSHARE_SECOND_FACTOR": "required (staff needs one to enter any room) or optional; required",
    "PIPSHARE_SECRET_KEY": "key for signatures, 32 characters or more",
    "PIPSHARE_SECRET_KEY_FILE": "file that holds that key",
    "PIPSHARE_SOURCE_PASSWORD": "the password that `pipshare source add` would ask for",
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
    encryption_keys: tuple[str, ...] = ()
    encryption_keys_file: Path | None = None
    url: str | None = None
    proxies: int = 0
    second_factor: str = "required"
    quote_age_s: int = 60
    country_header: str = ""
    egress_allow: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    mail_url: str | None = None


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
        encryption_keys=_keys("PIPSHARE_ENCRYPTION_KEYS", given.get("PIPSHARE_ENCRYPTION_KEYS")),
        encryption_keys_file=_path(given, "PIPSHARE_ENCRYPTION_KEYS_FILE"),
        url=_address(given.get("PIPSHARE_URL")),
        proxies=_count(given, "PIPSHARE_PROXIES"),
        second_factor=_choice(given, "PIPSHARE_SECOND_FACTOR", ("required", "optional")),
        quote_age_s=_count(given, "PIPSHARE_QUOTE_AGE", "60"),
        country_header=_header(given, "PIPSHARE_COUNTRY_HEADER"),
        egress_allow=_networks(given, "PIPSHARE_EGRESS_ALLOW"),
        mail_url=_mail(given.get("PIPSHARE_MAIL_URL")),
    )


def secret_key(env: Environment) -> str:
    """The signing key: given, read from a file, or made once in the data folder (0600)."""
    return env.secret_key or _kept(env.secret_key_file, env.data / "secret_key")


def encryption_keys(env: Environment) -> tuple[str, ...]:
    """The keys that seal secrets, the sealing one first; got like the signing key."""
    if env.encryption_keys:
        return env.encryption_keys
    own = env.data / "encryption_keys"
    return _keys(str(env.encryption_keys_file or own), _kept(env.encryption_keys_file, own))


def _kept(given: Path | None, own: Path) -> str:
    """Return what a file of secrets holds; our own one is made once, with a random key in it."""
    if given is None and not own.exists():
        own.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = own.with_name(f"{own.name}.{os.getpid()}.{threading.get_ident()}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(48))
        try:
            os.link(made, own)  # fails when another process was first: its key counts
        except FileExistsError:
            pass
        finally:
            made.unlink()
    path = given or own
    try:
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"cannot read the secret key {path}: {error.strerror}") from None


def _keys(name: str, text: str | None) -> tuple[str, ...]:
    keys = tuple((text or "").replace(",", " ").split())
    if text is not None and not keys:
        raise ImproperlyConfigured(f"{name} holds no key")
    if any(len(key) < 32 for key in keys):
        raise ImproperlyConfigured(f"{name} holds a key that is shorter than 32 characters")
    return keys


def _home(here: Path | None) -> Path:
    """The project's root when run from a checkout, else the current folder."""
    root = (here or Path(__file__).resolve()).parents[2]
    return root if (root / "pyproject.toml").exists() and (root / "src").is_dir() else Path.cwd()


def _path(given: Mapping[str, str], key: str) -> Path | None:
    return Path(given[key]).expanduser().absolute() if key in given else None


def _address(url: str | None) -> str | None:
    """The address without a slash at its end; a path below a host would break every link."""
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ImproperlyConfigured(
            f"PIPSHARE_URL is {url!r}: give scheme and host as people type them, without a path,"
            " such as https://ib.example.com"
        )
    return f"{parts.scheme}://{parts.netloc}"


def _count(given: Mapping[str, str], key: str, usual: str = "0") -> int:
    text = given.get(key, usual)
    if not text.isdecimal():
        raise ImproperlyConfigured(f"{key} is {text!r}: give a number, 0 or more")
    return int(text)


def _networks(
    given: Mapping[str, str], key: str
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(map(ipaddress.ip_network, given.get(key, "").replace(",", " ").split()))
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{key}: {error}; give networks with commas between, as 10.1.0.0/16, 127.0.0.1/32"
        ) from None


def _mail(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    sender = parse_qs(parts.query).get("from", [""])[0]
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or "@" not in sender:
        raise ImproperlyConfigured(
            "PIPSHARE_MAIL_URL: give smtps://user:password@host:465?from=pipshare@example.com, or"
            " smtp:// for a host that begins in clear and changes to TLS; what is special in the"
            " password is written with %"
        )
    return url


def _header(given: Mapping[str, str], key: str) -> str:
    name = given.get(key, "")
    if not name.replace("-", "").isalnum() and name:
        raise ImproperlyConfigured(f"{key} is {name!r}: give a header's name, such as CF-IPCountry")
    return name


def _choice(given: Mapping[str, str], key: str, choices: tuple[str, ...]) -> str:
    text = given.get(key, choices[0])
    if text not in choices:
        raise ImproperlyConfigured(f"{key} is {text!r}: give {' or '.join(choices)}")
    return text


def _url(given: Mapping[str, str], key: str) -> str | None:
    url = given.get(key)
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise ImproperlyConfigured(
            f"{key} must begin with postgresql:// (PostgreSQL 15 or newer is the one database)"
        )
    return url


ENV = load(os.environ)

SECRET_KEY = lazy(secret_key, str)(ENV)
_STAGES = (
    "audit",
    "people",
    "market",
    "clients",
    "partners",
    "plans",
    "inbox",
    "trades",
    "attribution",
    "rating",
    "ledger",
    "outbox",
    "statements",
    "payouts",
    "web",
    "console",
    "portal",
    "api",
)
INSTALLED_APPS = [
    *(f"pipshare.{n}" for n in _STAGES if (Path(__file__).parent / n / "__init__.py").exists()),
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "ninja",  # its documentation page then comes from here, not from a content network
]
DATABASES: dict[str, dict[str, Any]] = {
    "default": {"ENGINE": "pipshare.db.backend", "NAME": "app"},
    "owner": {"ENGINE": "pipshare.db.backend", "NAME": "owner"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
DATABASES["default"] |= {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True}

# The web, from here on. `pipshare serve` and tests use it; commands read none of it.
ROOT_URLCONF = "pipshare.urls"
WSGI_APPLICATION = "pipshare.wsgi.application"
IS_HTTPS = bool(ENV.url and ENV.url.startswith("https:"))
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
if ENV.url:
    ALLOWED_HOSTS.append(str(urlsplit(ENV.url).hostname))
    CSRF_TRUSTED_ORIGINS = [ENV.url]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "pipshare.web.doors.Doors",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pipshare.web.errors.ErrorPages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "pipshare.web.sessions.EndSessions",
    "allauth.account.middleware.AccountMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "pipshare.web.context.page",
            ]
        },
    }
]
STATIC_URL = "/static/"
STORAGES = {"staticfiles": {"BACKEND": "pipshare.web.assets.Versioned"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 365 * 24 * 3600  # each address names its content's digest
# Sign-in counts attempts across processes and machines, and restarts must not forgive them: a table
# does both. Files have no atomic "add", on which the counting's lock rests.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "web_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
USE_I18N = False
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.proxies else None
SECURE_SSL_REDIRECT = False  # who stands before us does that; a redirect here could only loop
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_HTTPS else 0
_SELF, _NONE = ["'self'"], ["'none'"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": _NONE,
        **dict.fromkeys(
            ("script-src", "style-src", "img-src", "font-src", "connect-src", "form-action"), _SELF
        ),
        "base-uri": _NONE,
        "frame-ancestors": _NONE,
    }
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_NAME = "__Host-pipshare" if IS_HTTPS else "pipshare"
CSRF_COOKIE_NAME = "__Host-pipshare-csrf" if IS_HTTPS else "pipshare-csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600  # a working day; pipshare.web.sessions ends idle ones before
CSRF_FAILURE_VIEW = "pipshare.web.errors.forged"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
_VALIDATION = "django.contrib.auth.password_validation."
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{_VALIDATION}MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}CommonPasswordValidator"},
    {
        "NAME": f"{_VALIDATION}UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ALLAUTH_TRUSTED_PROXY_COUNT = ENV.proxies
ACCOUNT_ADAPTER = "pipshare.people.adapters.Accounts"
ACCOUNT_FORMS = {"login": "pipshare.people.forms.SignIn"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = False  # the cookie ends with the browser
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_ADAPTER = "pipshare.people.adapters.SecondFactor"
MFA_FORMS = {
    "authenticate": "pipshare.people.forms.Authenticate",
    "reauthenticate": "pipshare.people.forms.Reauthenticate",
    "activate_totp": "pipshare.people.forms.Activate",
}
MFA_TOTP_ISSUER = "pipshare"
MFA_TOTP_TOLERANCE = 1  # telephones' clocks are off by some seconds
MFA_ALLOW_UNVERIFIED_EMAIL = True  # addresses are entered by an administrator
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},  # a 404 is no news
        "django.security.csrf": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # every scanner tries
    },
}
