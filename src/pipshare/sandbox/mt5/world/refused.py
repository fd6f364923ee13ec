"""The trade server's own refusals, by their number."""

from __future__ import annotations

from pipshare.errors import PipshareError

PARAMS, NOT_FOUND, MONEY_LIMIT, NO_MONEY = 3, 13, 4005, 10019
TEXTS = {
    PARAMS: "Invalid parameters",
    NOT_FOUND: "Not found",
    MONEY_LIMIT: "Trade deal money limit",
    NO_MONEY: "Not enough money",
}


class Refused(PipshareError):
    """The server refuses a request: `retcode` and `text` are what it answers, "10019 Not ..."."""

    def __init__(self, retcode: int, text: str = "") -> None:
        self.retcode = retcode
        self.text = text or TEXTS.get(retcode, "Error")
        super().__init__("refused", f"the sandbox server refuses: {retcode} {self.text}")
