"""The error classes of pipshare: what is wrong, where, and what to do.

The core raises these; the edges turn them into an exit status or an HTTP problem. Nothing in
the core knows about either.
"""

from __future__ import annotations


class PipshareError(Exception):
    """An error a person or a program can act on.

    `code` is a stable lower-case word for programs, `message` a sentence that says what is wrong,
    where (file, line, field, ticket) and what to do. `retryable` is true when the same call may
    succeed later without anybody changing anything.
    """

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable


class BadInput(PipshareError):
    """What was handed in cannot be used as it is; the sender has to change it."""


class Conflict(PipshareError):
    """What was handed in contradicts what is already booked; a person has to decide."""


class Missing(PipshareError):
    """Something named by the caller does not exist here."""


class Unavailable(PipshareError):
    """Something outside (the database, a server) does not answer now."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, retryable=True)


class BrokenBooks(PipshareError):
    """The books contradict themselves. Nothing may be booked until a person has looked."""
