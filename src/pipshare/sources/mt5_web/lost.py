"""Failures of the connection itself, in words: nobody there, too slow, cut off, no TLS."""

from __future__ import annotations

import http.client
import socket
import ssl

from pipshare.errors import Unavailable


class Lost(Unavailable):
    """The connection failed; whether the request arrived is not known."""

    def __init__(self, message: str) -> None:
        super().__init__("mt5_lost", message)


class TimedOut(Lost):
    """The server took the request and did not answer in time: ask for less."""

    halve = True


class Forbidden(Unavailable):
    """HTTP 403: the session is over, or was never allowed. The request was not carried out."""

    def __init__(self, message: str) -> None:
        super().__init__("mt5_forbidden", message)


def lost(error: Exception, where: str) -> Unavailable:
    """Return the sentence of a socket's or of http.client's error."""
    if isinstance(error, socket.gaierror):
        return Lost(f"{where}: there is no such host; check url, or this machine's name server")
    if isinstance(error, ConnectionRefusedError):
        return Lost(
            f"{where}: nobody listens there; is the access server running, the Web API enabled on "
            "it and the port right?"
        )
    if isinstance(error, TimeoutError):
        return TimedOut(f"{where} does not answer in time ({error or 'time-out'}); a firewall, or "
                        "an overloaded server?")  # fmt: skip
    if isinstance(error, http.client.IncompleteRead):
        return Lost(f"{where} broke off in the middle of an answer ({error.expected or 'some'} "
                    "bytes are missing); nothing of it was used")  # fmt: skip
    if isinstance(error, ssl.SSLEOFError | ConnectionError | http.client.RemoteDisconnected):
        return Lost(f"{where} closed the connection without an answer")
    if isinstance(error, ssl.SSLError):
        return Lost(f"{where} speaks no TLS that pipshare accepts ({error.reason}); is this the "
                    "https port?")  # fmt: skip
    if isinstance(error, http.client.HTTPException):
        return Lost(f"{where} gave no HTTP answer ({type(error).__name__})")
    return Lost(f"{where} cannot be reached ({error})")
