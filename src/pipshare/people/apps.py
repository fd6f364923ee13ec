"""Tells Django about people, and listens to what happens to them."""

from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """The app of people."""

    name = "pipshare.people"

    def ready(self) -> None:
        """Connect the audit trail."""
        from pipshare.people import trail

        trail.listen()
