"""The dispatcher of the outbox's tests, for messages about applicants, too."""

from __future__ import annotations

from tests.outbox.conftest import dispatching

__all__ = ["dispatching"]
