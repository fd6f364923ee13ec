"""Tells Django about the web's shared part."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The app of base templates, access and sessions."""

    name = "pipshare.web"

    def ready(self) -> None:
        """Have sessions begin their clock at each sign-in, also before the first request."""
        from pipshare.web import sessions

        sessions.listen()
