"""All addresses of the web server."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import include, path

from pipshare.web import views
from pipshare.web.access import anyone, signed_in
from pipshare.web.theme import choose

# allauth's names for its views: its own code refers to them.
urlpatterns: list[Any] = [
    path("", signed_in(views.home), name="home"),
    path("health", anyone(views.health), name="health"),
    path("theme", anyone(choose), name="theme"),
    path("sign-in/", anyone(account.login), name="account_login"),
    path("sign-in/code/", anyone(mfa.authenticate), name="mfa_authenticate"),
    path("sign-in/closed/", anyone(account.account_inactive), name="account_inactive"),
    path("sign-out/", anyone(views.sign_out), name="account_logout"),
    path("account/", signed_in(views.profile), name="profile"),
    path("account/confirm/", signed_in(account.reauthenticate), name="account_reauthenticate"),
    path("account/confirm/code/", signed_in(mfa.reauthenticate), name="mfa_reauthenticate"),
    path("account/password/", signed_in(account.password_change), name="account_change_password"),
    path("account/second-factor/", signed_in(views.profile), name="mfa_index"),
    path("account/second-factor/add/", signed_in(totp.activate_totp), name="mfa_activate_totp"),
    path(
        "account/second-factor/remove/", signed_in(totp.deactivate_totp), name="mfa_deactivate_totp"
    ),
    path("account/codes/", signed_in(codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "account/codes/new/",
        signed_in(codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/codes/download/",
        signed_in(codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
]
for _surface in ("console", "portal", "api"):  # the doors of machines first: nobody asks as often
    if find_spec(f"pipshare.{_surface}") and find_spec(f"pipshare.{_surface}.urls"):
        urlpatterns.insert(0, path("", include(f"pipshare.{_surface}.urls")))

handler400 = "pipshare.web.errors.bad_request"
handler403 = "pipshare.web.errors.forbidden"
handler404 = "pipshare.web.errors.not_found"
handler500 = "pipshare.web.errors.failed"
handler429 = "pipshare.web.errors.too_many"
