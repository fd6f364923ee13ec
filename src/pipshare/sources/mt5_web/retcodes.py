"""MetaQuotes' retcodes, and which error each of them is.

Source: MT5APIConstants.h of the MetaTrader 5 SDK. An answer carries "<number> <text>".
"""

from __future__ import annotations

from pipshare.errors import PipshareError, Unavailable
from pipshare.sources.mt5_web.errors import NotAllowed, Refused, WrongPassword

OK, NO_DATA, NOT_FOUND, TOO_FREQUENT = 0, 1, 13, 12
TIMEOUT, PARTIAL, UNSUPPORTED, NO_SUCH_LOGIN = 9, 14, 12002, 1020
_PASSES = {  # passes by itself
    7: "its network fails", 9: "it ran out of time", 10: "it has lost its trade server",
    12: "it is asked too often; raise poll_s", 14: "it could answer only partly",
    15: "it is shutting down", 1018: "it is busy",
}  # fmt: skip
_SIGN_IN = {  # whose login or password it is
    1000: "the login or the password is wrong", 1001: "the login or the password is wrong",
    1020: "there is no such login", 3006: "the password is wrong",
}  # fmt: skip
_SETTING = {  # what the administrator has to change
    8: "the manager login lacks the right for this: tick it under Permissions of the manager",
    1002: "the manager account is disabled: enable it",
    1010: "it wants a newer client: tell the authors of pipshare its build",
    1011: "the login is no manager: add it under Managers in MetaTrader 5 Administrator",
    1012: "this machine's address is not on the list of the manager's allowed addresses",
    1024: "the manager may not connect this way: tick 'Connect using MetaTrader 5 Manager'",
    1034: "the API is switched off for this manager, or has no API password: set one on the "
    "Security tab",
    UNSUPPORTED: "it does not know this command: its build is too old, or the command is "
    "switched off",
}  # fmt: skip
SESSION = range(1000, 1035)  # authorisation; in the middle of a session: sign in anew


class Slow(Unavailable):
    """The server could not do so much at once: ask for less."""

    halve = True

    def __init__(self, message: str) -> None:
        super().__init__("mt5_busy", message)


def fault(code: int, text: str, what: str, login: int) -> PipshareError | None:
    """Return the error of a retcode, None when it is none. `what` says what was asked.

    NOT_FOUND is no error: whether something exists is an answer.
    """
    if code in (OK, NO_DATA, NOT_FOUND):
        return None
    told = f"({code} {text})" if text else f"({code})"
    if code in _PASSES:
        sentence = f"the MT5 server did not do {what}: {_PASSES[code]} {told}"
        return Slow(sentence) if code in (TIMEOUT, PARTIAL) else Unavailable("mt5_busy", sentence)
    if code in _SIGN_IN:
        return WrongPassword(
            f"the MT5 server does not accept manager {login}: {_SIGN_IN[code]} {told}. It takes "
            "the API password (Security tab of the manager), not the master password"
        )
    if code in _SETTING or code in SESSION:
        why = _SETTING.get(code, "it does not let the manager in")
        return NotAllowed(f"the MT5 server refuses {what} to manager {login}: {why} {told}", code)
    return Refused(f"the MT5 server refuses {what} {told}", code)
