"""The server's return codes: what stands in "retcode", a number and a text."""

from __future__ import annotations

OK = 0
ERROR = 2
BAD_PARAMETERS = 3
NO_PERMISSION = 8
TIMEOUT = 9
NOT_FOUND = 13
AUTH_ACCOUNT_INVALID = 1001
AUTH_CLIENT_OLD = 1010
AUTH_ACCOUNT_UNKNOWN = 1020
AUTH_MANAGER_TYPE = 1024

TEXTS = {
    OK: "Done",
    1: "OK, no data",
    ERROR: "Common error",
    BAD_PARAMETERS: "Invalid parameters",
    4: "Invalid data",
    7: "Network error",
    NO_PERMISSION: "Not enough permissions",
    TIMEOUT: "Operation timeout",
    10: "No connection",
    12: "Too frequent requests",
    NOT_FOUND: "Not found",
    14: "Partial error",
    15: "Server shutdown in progress",
    17: "Duplicate data",
    AUTH_ACCOUNT_INVALID: "Invalid account",
    1002: "Account disabled",
    AUTH_CLIENT_OLD: "Client has old version",
    1011: "Manager account doesn't have manager config",
    1012: "IP address unallowed for manager",
    1018: "Server is busy",
    AUTH_ACCOUNT_UNKNOWN: "Unknown account",
    AUTH_MANAGER_TYPE: "Connection type is not permitted for manager",
    1034: "Connection using API is not permitted",
    3006: "Invalid account password",
    4001: "Deals limit",
    4005: "Money limit",
    4006: "Deal already exists",
    10019: "Not enough money",
    12001: "Must be run on the main server",
    12002: "Not supported",
}


class Refusal(Exception):
    """The server answers with a return code other than 0: `code` and its text."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(f"{code} {text or TEXTS.get(code, 'Error')}")
        self.code = code

    @property
    def retcode(self) -> str:
        """What stands in the answer, e.g. "13 Not found"."""
        return str(self)
