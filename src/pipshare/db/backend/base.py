"""The database backend that settings.DATABASES names; its NAME is the role: app or owner.

The connection string is asked for at the first connection, not at import: the embedded server
starts only when somebody needs it.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base

from pipshare.db import connection

_KEPT = ("cursor_factory", "context", "prepare_threshold")


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL as Django knows it, connected as pipshare connects."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return the arguments for psycopg.connect: ours, with Django's cursors and adapters."""
        role: connection.Role = "owner" if self.settings_dict["NAME"] == "owner" else "app"
        django: dict[str, Any] = super().get_connection_params()
        kept = {key: django[key] for key in _KEPT if key in django}
        return connection.parameters(role, **kept, client_encoding="UTF8")
