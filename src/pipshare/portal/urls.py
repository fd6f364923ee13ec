"""The addresses of the portal: open to everybody, and by a reference to one."""

from __future__ import annotations

from django.urls import path

from pipshare.portal import apply

app_name = "portal"
urlpatterns = [
    path("apply/", apply.apply, name="apply"),
    path("apply/<str:entity>/", apply.apply, name="apply_to"),
    path("application/<str:reference>/", apply.application, name="application"),
]
