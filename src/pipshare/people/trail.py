"""Writes sign-ins, refusals and changes of a person's means to sign in into the audit trail."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.auth import signals as auth
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest

from pipshare import audit

_NOBODY = "nobody"


def listen() -> None:
    """Connect to the signals of Django and allauth, once per process."""
    for signal, receiver in (
        (auth.user_logged_in, _signed_in),
        (auth.user_logged_out, _signed_out),
        (auth.user_login_failed, _refused),
        (account.password_changed, _password_changed),
        (mfa.authenticator_added, _factor_added),
        (mfa.authenticator_removed, _factor_removed),
        (mfa.authenticator_reset, _factor_reset),
        (mfa.authentication_failed, _factor_refused),
    ):
        signal.connect(receiver, dispatch_uid=f"pipshare.{receiver.__name__}")


def note(actor: str, action: str, subject: str, **detail: Any) -> None:
    """Write one event over Django's connection: in its transaction, where there is one."""
    connection.ensure_connection()
    audit.record(connection.connection, actor, action, subject, "", detail)


def _from(request: HttpRequest | None) -> dict[str, str]:
    """Return where a request came from, as allauth sees it behind trusted proxies."""
    if request is None:
        return {}
    from allauth.account.adapter import get_adapter

    agent = request.META.get("HTTP_USER_AGENT", "")[:200]
    try:
        address = get_adapter().get_client_ip(request)
    except PermissionDenied:  # no address: a test, or fewer proxies than PIPSHARE_PROXIES says
        address = ""
    return {"address": address, "agent": agent}


def _signed_in(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    note(user.email, "sign in", user.email, **_from(request))


def _signed_out(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    if user is not None:
        note(user.email, "sign out", user.email, **_from(request))


def _refused(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    given = str(credentials.get("email") or credentials.get("username") or "")[:254]
    note(_NOBODY, "sign in refused", given, **_from(request))


def _password_changed(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    note(user.email, "change password", user.email, **_from(request))


def _factor_added(
    sender: Any, request: HttpRequest, user: Any, authenticator: Any, **_: Any
) -> None:
    note(user.email, f"add {authenticator.type}", user.email, **_from(request))


def _factor_removed(
    sender: Any, request: HttpRequest, user: Any, authenticator: Any, **_: Any
) -> None:
    note(user.email, f"remove {authenticator.type}", user.email, **_from(request))


def _factor_reset(
    sender: Any, request: HttpRequest, user: Any, authenticator: Any, **_: Any
) -> None:
    note(user.email, f"renew {authenticator.type}", user.email, **_from(request))


def _factor_refused(sender: Any, request: HttpRequest, user: Any, **_: Any) -> None:
    note(_NOBODY, "second factor refused", user.email, **_from(request))
