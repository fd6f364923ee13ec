"""A receiver's secrets: what signs its webhooks, with rotation, and headers of its own; sealed."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from typing import Any

import psycopg

from pipshare import audit, db
from pipshare.errors import BadInput
from pipshare.outbox.say import CHANNEL
from pipshare.outbox.values import Receiver

ROTATION_H = 24  # so long the secret before signs, too
_PREFIX = "whsec_"
_UNSENT = re.compile(r"[\x00-\x1f\x7f]|[^\x00-\xff]")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
OWN_HEADERS = frozenset({
    "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer",
    "upgrade", "expect", "accept-encoding", "webhook-id", "webhook-timestamp", "webhook-signature",
})  # fmt: skip
_END = """
UPDATE outbox_secret SET expires_at = now() + make_interval(hours => %s)
 WHERE receiver_id = %s AND header = %s AND expires_at IS NULL"""
_ADD = """
INSERT INTO outbox_secret (receiver_id, header, sealed, made_by) VALUES (%s, %s, %s, %s)"""
_OF = f"""
SELECT receiver_id, header, sealed,
       {db.ms("coalesce(expires_at, 'infinity')")} FROM outbox_secret
 WHERE receiver_id = ANY(%s) AND (expires_at IS NULL OR expires_at > now())
 ORDER BY receiver_id, id DESC"""
_ALL = "SELECT id, sealed FROM outbox_secret ORDER BY id FOR UPDATE"


@dataclass(frozen=True, repr=False)
class Secret:
    """An opened secret: `header` "" signs; it holds until `until_ms`."""

    header: str
    text: str
    until_ms: int


def new_secret() -> str:
    """Return a new signing secret in the form of Standard Webhooks: whsec_ and base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def rotate_secret(conn: psycopg.Connection[Any], receiver: Receiver, *, by: str) -> str:
    """Give a receiver a new signing secret and return it, this once; in the caller's transaction.

    For 24 hours webhooks are signed with both. The first call makes the first secret.
    """
    secret = new_secret()
    conn.execute(_END, (ROTATION_H, receiver.id, ""))
    _add(conn, receiver, "", secret, by)
    audit.record(conn, by, "receiver.secret_rotated", receiver.name)
    return secret


def set_header(
    conn: psycopg.Connection[Any], receiver: Receiver, name: str, value: str, *, by: str
) -> None:
    """Send a secret header with every request to a receiver; it is stored sealed and never shown.

    Raises BadInput for a name or value that cannot be sent, or a header that is the outbox's own.
    """
    check_header(name, value)
    conn.execute(_END, (0, receiver.id, name.lower()))
    _add(conn, receiver, name.lower(), value, by)
    audit.record(conn, by, "receiver.header_set", receiver.name, detail={"header": name.lower()})


def _add(
    conn: psycopg.Connection[Any], receiver: Receiver, header: str, text: str, by: str
) -> None:
    conn.execute(_ADD, (receiver.id, header, db.seal(text), by))
    conn.execute("UPDATE outbox_receiver SET version = version + 1 WHERE id = %s", (receiver.id,))
    db.wake(conn, CHANNEL)


def check_header(name: str, value: str) -> None:
    """Raise BadInput when a header cannot be sent, or is not the receiver's to set."""
    if not _NAME.fullmatch(name):
        raise BadInput("bad_header", f"{name[:80]!r} cannot name a header: letters, digits and '-'")
    if name.lower() in OWN_HEADERS:
        raise BadInput("bad_header", f"the header {name} is set by pipshare itself: leave it out")
    if _UNSENT.search(value) or len(value) > 4096:
        raise BadInput(
            "bad_header",
            f"the value of header {name} holds a line break or another sign that no header may"
            " carry, or is longer than 4096 characters",
        )


def secrets_of(conn: psycopg.Connection[Any], receiver_ids: list[int]) -> dict[int, list[Secret]]:
    """Return the opened secrets in use by receiver, newest first. Raises as db.unseal does."""
    found: dict[int, list[Secret]] = {}
    for receiver_id, header, sealed, until_ms in conn.execute(_OF, (receiver_ids,)):
        found.setdefault(receiver_id, []).append(Secret(header, db.unseal(sealed), until_ms))
    return found


def rekey(conn: psycopg.Connection[Any]) -> int:
    """Seal all secrets with the first key, in the caller's transaction; return how many changed."""
    changed = 0
    for number, sealed in conn.execute(_ALL).fetchall():
        anew = db.reseal(sealed)
        if anew is not None:
            conn.execute("UPDATE outbox_secret SET sealed = %s WHERE id = %s", (anew, number))
            changed += 1
    return changed
