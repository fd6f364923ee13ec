"""Who is told when a receiver is switched off, and when it works again."""

from __future__ import annotations

import logging
import smtplib
from typing import Any

import psycopg

from pipshare import db, inbox, market, outbox, settings
from pipshare.outbox import Receiver
from pipshare.pipeline.delivering.mail import send_mail

ALERT = "receiver_off"
_log = logging.getLogger("pipshare.outbox")


def switch_off(receiver: Receiver, reason: str, now_ms: int) -> None:
    """Switch a receiver off, with an alert and a message to the broker's webhooks; mail its owner.

    In a transaction of its own, as a change of receivers waits for the bookings under way.
    """
    sentence = (
        f"Receiver {receiver.name} is switched off: {reason}. What is said to it is kept as dead"
        f" letters for 30 days. When it works again: pipshare receiver resume {receiver.name!r},"
        " then pipshare receiver replay"
    )
    with db.transaction() as conn:
        entity = market.entities(conn)[receiver.entity_id].code
        if not outbox.switch_off(conn, receiver, reason, now_ms, entity=entity):
            return
        inbox.raise_alert(conn, ALERT, receiver.name, sentence)
    _log.warning("%s", sentence)
    url, owner = settings.ENV.mail_url, receiver.settings.get("owner_email")
    if url and owner:
        try:
            send_mail(url, owner, f"pipshare: {receiver.name} is switched off", sentence)
        except (OSError, smtplib.SMTPException) as error:
            _log.warning("the mail about receiver %s was not taken: %s", receiver.name, error)


def resume(conn: psycopg.Connection[Any], receiver: Receiver, *, by: str, reason: str = "") -> None:
    """Let a receiver be sent to again; its alert is over. In the caller's transaction."""
    outbox.resume(conn, receiver, by=by, reason=reason)
    inbox.resolve_alert(conn, ALERT, receiver.name)
