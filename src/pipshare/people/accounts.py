"""Adds, lists, disables and resets people, over a plain connection: no web needed.

Every change is one audit event in the caller's transaction. A password given or made here was seen
by somebody else, so that its owner has to choose another at the first sign-in, unless told not to.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from pipshare import audit
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.people.roles import ROLES

MIN_LENGTH = 12
_ADD = """
INSERT INTO people_user (email, name, role, partner_code, password, is_active,
                         must_change_password, factor_exempt, added_at)
VALUES (%s, %s, %s, %s, %s, true, %s, %s, now())
ON CONFLICT DO NOTHING RETURNING id
"""
_LIST = """
SELECT u.id, u.email, u.name, u.role, u.partner_code, u.is_active,
       EXISTS (SELECT FROM mfa_authenticator m WHERE m.user_id = u.id AND m.type = 'totp'),
       u.factor_exempt, u.last_login
  FROM people_user u
"""
_ACTIVE = "UPDATE people_user SET is_active = %s WHERE id = %s"
_EXEMPT = "UPDATE people_user SET factor_exempt = %s WHERE id = %s"
_PASSWORD = "UPDATE people_user SET password = %s, must_change_password = true WHERE id = %s"
_NO_FACTOR = "DELETE FROM mfa_authenticator WHERE user_id = %s"


@dataclass(frozen=True)
class Person:
    """One person as an administrator sees him. `is_exempt`: needs no second factor."""

    id: int
    email: str
    name: str
    role: str
    partner_code: str
    is_active: bool
    has_second_factor: bool
    is_exempt: bool
    last_sign_in: datetime | None


def add(
    conn: psycopg.Connection[Any],
    email: str,
    role: str,
    *,
    by: str,
    name: str = "",
    partner_code: str = "",
    password: str | None = None,
    must_change: bool = True,
    exempt: bool = False,
) -> str:
    """Add a person; returns the password, made here when none is given.

    Raises BadInput for an address, role or password that will not do, Conflict when the address is
    taken.
    """
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise BadInput("bad_email", f"{email!r} is no e-mail address") from None
    if role not in ROLES:
        raise BadInput("bad_role", f"{role!r} is no role; roles are {', '.join(ROLES)}")
    if (role == "partner") != bool(partner_code):
        raise BadInput("bad_partner", f"{email}: the role partner needs a partner's code, and no"
                                      " other role may have one")  # fmt: skip
    password = _fit(password)
    values = (email, name.strip(), role, partner_code, _hashed(password), must_change, exempt)
    if conn.execute(_ADD, values).fetchone() is None:
        raise Conflict(
            "email_taken", f"{email} is here already; `pipshare user list` shows everyone"
        )
    detail = {"role": role, "partner": partner_code} if partner_code else {"role": role}
    detail |= {"second_factor": "exempt"} if exempt else {}
    audit.record(conn, by, "add user", email, "", detail)
    return password


def everyone(conn: psycopg.Connection[Any]) -> list[Person]:
    """Return all people, by address."""
    return [Person(*row) for row in conn.execute(_LIST + " ORDER BY lower(u.email)")]


def person(conn: psycopg.Connection[Any], email: str) -> Person:
    """Return the person with this address, whatever its case. Raises Missing."""
    row = conn.execute(_LIST + " WHERE lower(u.email) = lower(%s)", (email.strip(),)).fetchone()
    if row is None:
        raise Missing(
            "no_user", f"there is nobody with {email!r}; `pipshare user list` shows everyone"
        )
    return Person(*row)


def set_active(conn: psycopg.Connection[Any], email: str, active: bool, *, by: str) -> Person:
    """Let a person in again or shut him out, at once: his sessions end. Raises Missing."""
    found = person(conn, email)
    if found.is_active != active:
        conn.execute(_ACTIVE, (active, found.id))
        audit.record(conn, by, "enable user" if active else "disable user", found.email)
    return person(conn, email)


def set_exempt(
    conn: psycopg.Connection[Any], email: str, exempt: bool, *, by: str, reason: str
) -> Person:
    """Let a person in without a second factor, or no more, from his next click. Raises Missing."""
    found = person(conn, email)
    if found.is_exempt != exempt:
        conn.execute(_EXEMPT, (exempt, found.id))
        action = "exempt from second factor" if exempt else "require second factor"
        audit.record(conn, by, action, found.email, reason)
    return person(conn, email)


def reset(
    conn: psycopg.Connection[Any],
    email: str,
    *,
    by: str,
    password: str | None = None,
    second_factor: bool = False,
) -> str:
    """Give a person a new password, returned; his sessions end.

    `second_factor` also takes his authenticator and recovery codes away. Raises Missing, BadInput.
    """
    found = person(conn, email)
    password = _fit(password)
    conn.execute(_PASSWORD, (_hashed(password), found.id))
    if second_factor:
        conn.execute(_NO_FACTOR, (found.id,))
    detail = {"second_factor": "removed"} if second_factor else None
    audit.record(conn, by, "reset password", found.email, "", detail)
    return password


def _fit(password: str | None) -> str:
    """Return the password, or a random one. Raises BadInput for a short one."""
    if password is None:
        return secrets.token_urlsafe(12)
    if len(password) < MIN_LENGTH:
        raise BadInput("short_password", f"a password has {MIN_LENGTH} characters or more")
    return password


def _hashed(password: str) -> str:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipshare.settings")
    from django.contrib.auth.hashers import make_password

    return make_password(password)
