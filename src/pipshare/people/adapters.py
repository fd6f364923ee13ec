"""What allauth asks us: nobody signs up by himself, secrets are sealed, no mail is sent."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from pipshare import db


class Accounts(DefaultAccountAdapter):
    """Accounts are made by an administrator with `pipshare user add`."""

    error_messages = {  # noqa: RUF012 - allauth's own form
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "The e-mail address or the password is not right.",
        "too_many_login_attempts": "Too many attempts. Wait five minutes and try again.",
        "incorrect_password": "That is not your password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for himself."""
        return False

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Send nothing: the audit trail has it, and there is no mail server to rely on."""

    def add_message(self, request: HttpRequest, level: int, *args: Any, **kwargs: Any) -> None:
        """Leave allauth's own messages out: the pages say what happened."""


class SecondFactor(DefaultMFAAdapter):
    """Secrets of authenticators and recovery codes are stored sealed."""

    error_messages = {  # noqa: RUF012
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "That code is not right. Wait for the next one and try again.",
    }

    def encrypt(self, text: str) -> str:
        """Seal a secret for the database."""
        return db.seal(text).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed secret. Raises as `db.unseal` does."""
        return db.unseal(encrypted_text.encode("ascii"))
