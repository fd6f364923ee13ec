"""The second factor: who must have one, and whether he has just shown it."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from pipshare import settings as ours
from pipshare.people.roles import STAFF


def has_factor(user: Any) -> bool:
    """Whether a person has an authenticator; recovery codes alone are none."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.utils import is_mfa_enabled

    return bool(is_mfa_enabled(user, [Authenticator.Type.TOTP]))


def must_have_factor(user: Any) -> bool:
    """Whether a person may enter rooms with a second factor only."""
    return ours.ENV.second_factor == "required" and user.role in STAFF and not user.factor_exempt


def shown_lately(request: HttpRequest) -> bool:
    """Whether who asks has shown within minutes that it is he.

    With a code where he has a second factor, else with his password.
    """
    from allauth.account.authentication import get_authentication_records

    wanted = "mfa" if has_factor(request.user) else "password"
    made = [
        one["at"] for one in get_authentication_records(request, request.user)
        if one["method"] == wanted
    ]  # fmt: skip
    return bool(made) and time.time() - max(made) < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
