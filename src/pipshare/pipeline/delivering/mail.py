"""Hands a mail to the server that the operator named in PIPSHARE_MAIL_URL."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

_TIMEOUT_S = 20


def send_mail(url: str, to: str, subject: str, text: str) -> None:
    """Send a plain mail. `url`: smtp[s]://user:password@host:port?from=address, as settings check.

    Raises OSError or smtplib.SMTPException when it is not taken.
    """
    parts = urlsplit(url)
    mail = EmailMessage()
    mail["From"] = parse_qs(parts.query)["from"][0]
    mail["To"] = to
    mail["Subject"] = " ".join(subject.split())
    mail.set_content(text)
    host, context = str(parts.hostname), ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=_TIMEOUT_S, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 587, timeout=_TIMEOUT_S)
    with server:
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(mail)
