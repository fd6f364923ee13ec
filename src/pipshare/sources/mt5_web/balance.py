"""Balance operations: what is sent, and what the server's answer means. Sent once, never again.

The API knows no idempotency key: after a lost answer only a look at the deals tells whether it
happened, so everything uncertain is Ambiguous and everything else is certain.
"""

from __future__ import annotations

from decimal import Decimal

from pipshare.errors import BadInput
from pipshare.sources.mt5_web import retcodes, tables
from pipshare.sources.mt5_web.answer import Answer, value
from pipshare.sources.mt5_web.errors import Ambiguous, Garbled

PATH = "/api/trade/balance"
TYPES = (2, 3, 4, 5, 6)  # balance, credit, charge, correction, bonus (EnDealAction)
COMMENT_CHARS = 31  # the server cuts the rest off without a word
MOST = 1_000_000_000
_NOT_DONE = (retcodes.TOO_FREQUENT, 1018)  # refused before anything was tried


def params(
    login: int, type_: int, amount: Decimal, comment: str, check_margin: bool
) -> dict[str, object]:
    """Return the parameters. Raises BadInput for what the server would refuse, or cut."""
    if type_ not in TYPES:
        raise BadInput("bad_type", f"balance type {type_} is none of 2, 3, 4, 5, 6")
    if not amount.is_finite() or not amount or abs(amount) > MOST:
        raise BadInput("bad_amount", f"{amount} cannot be booked: not nought, at most {MOST}")
    if not comment or len(comment.encode()) > COMMENT_CHARS:
        raise BadInput(
            "bad_comment", f"comment {comment!r} has to have 1 to {COMMENT_CHARS} characters"
        )
    return {
        "login": login, "type": type_, "balance": format(amount, "f"), "comment": comment,
        "check_margin": int(check_margin),
    }  # fmt: skip


def ticket(answer: Answer, manager: int) -> int:
    """Return the ticket of the balance deal. Raises Ambiguous, Refused or NotAllowed."""
    error = retcodes.fault(answer.code, answer.text, PATH, manager)
    if error is not None and (not error.retryable or answer.code in _NOT_DONE):
        raise error
    if error is not None:
        raise Ambiguous(f"{error.message}: the operation may or may not have been carried out")
    try:
        told = value(answer)
    except Garbled as garbled:
        raise Ambiguous(f"the operation was accepted, but {garbled.message}") from garbled
    number = tables.whole(str(told.get("Ticket", ""))) if isinstance(told, dict) else None
    if answer.code != retcodes.OK or not number:
        raise Ambiguous(f"{answer.where} said ({answer.code} {answer.text}) and gave no ticket")
    return number
