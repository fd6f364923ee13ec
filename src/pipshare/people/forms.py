"""Forms of the sign-in; a code of an authenticator opens once, for as long as it would be taken."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm
from allauth.core import context
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.totp import forms as totp
from allauth.mfa.totp.internal import auth
from django.core.cache import cache

from pipshare import db
from pipshare.errors import PipshareError


class SignIn(LoginForm):
    """The first step of a sign-in: one can type at once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "E-mail address"
        self.fields["login"].widget.attrs |= {"autofocus": True, "autocomplete": "username"}


class OneTime:
    """Refuses a code of a person's that was taken before.

    allauth forgets a code after 30 seconds. As clocks may be off by as much, it would be taken for
    90 and could be used again by who looked over a shoulder.
    """

    user: Any
    fields: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code"
        self.fields["code"].widget.attrs |= {
            "inputmode": "numeric",
            "autofocus": True,
            "class": "code-input",
            "placeholder": "",
        }

    def clean_code(self) -> str:
        """Return the code when it is right and new. Raises ValidationError."""
        code: str = super().clean_code()  # type: ignore[misc]
        lasts_s = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
        if not cache.add(f"code:{self.user.pk}:{code.strip()}", True, timeout=lasts_s):
            raise get_adapter().validation_error("incorrect_code")
        return code


class Authenticate(OneTime, base.AuthenticateForm):
    """The second step of a sign-in."""


class Reauthenticate(OneTime, base.ReauthenticateForm):
    """A fresh code before something that matters."""


class Activate(OneTime, totp.ActivateTOTPForm):
    """The first code of a new authenticator, whose secret waits for it sealed.

    allauth keeps it in the session as it is: a copy of the table of sessions would tell it.
    """

    secret: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if ":" in self.secret:  # sealed before, when the form was shown
            try:
                self.secret = db.unseal(self.secret.encode("ascii"))
            except PipshareError:  # its key is gone: another secret, and no code fits this time
                self.secret = auth.generate_totp_secret()
        sealed = db.seal(self.secret).decode("ascii")
        context.request.session[auth.SECRET_SESSION_KEY] = sealed
