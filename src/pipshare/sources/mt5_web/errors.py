"""What can be wrong with an MT5 access server, each in words for its administrator.

Unavailable and its kin here pass by themselves (a retry may succeed); BadInput and its kin need
somebody to change a setting.
"""

from __future__ import annotations

from pipshare.errors import BadInput, PipshareError, Unavailable


class WrongPassword(BadInput):
    """The server does not accept this manager login with this password."""

    def __init__(self, message: str) -> None:
        super().__init__("mt5_wrong_password", message)


class WrongCertificate(BadInput):
    """The server's certificate is not the one that the source is set up for, or has expired."""

    def __init__(self, message: str) -> None:
        super().__init__("mt5_wrong_certificate", message)


class NotGenuine(BadInput):
    """The other side could not prove that it knows the password: it is not the MT5 server."""

    def __init__(self, message: str) -> None:
        super().__init__("mt5_not_genuine", message)


class NotAllowed(BadInput):
    """The manager login lacks a right, or may not connect this way. `retcode` is the server's."""

    def __init__(self, message: str, retcode: int) -> None:
        super().__init__("mt5_not_allowed", message)
        self.retcode = retcode


class Refused(BadInput):
    """The server refuses one command with a retcode that waiting does not change."""

    def __init__(self, message: str, retcode: int) -> None:
        super().__init__("mt5_refused", message)
        self.retcode = retcode


class Garbled(Unavailable):
    """An answer is not what the Web API sends (HTML, cut JSON); nothing of it was used."""

    def __init__(self, message: str) -> None:
        super().__init__("mt5_garbled", message)


class Stuck(Unavailable):
    """The server gives the same page, or an empty one, whatever it is asked."""

    def __init__(self, message: str) -> None:
        super().__init__("mt5_stuck", message)


class ClockWrong(Unavailable):
    """The server's clock is no clock of any time zone, or has jumped."""

    def __init__(self, message: str) -> None:
        super().__init__("mt5_clock", message)


class Ambiguous(PipshareError):
    """A balance operation was sent and its answer was lost: it may or may not have happened."""

    def __init__(self, message: str) -> None:
        super().__init__("mt5_ambiguous", message)


class Overrun(Exception):
    """An answer is longer than asked for; the client asks for half the time. Never seen outside."""
