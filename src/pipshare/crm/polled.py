"""What a poll of a CRM gives, and how an answer of one is judged. Pure: who calls is handed in.

A client says what to ask (Ask), is handed what came (Answer), and yields Pages, each with the
cursor that holds once the page is stored. A fault is raised before the cursor of its page: what
could not be read is asked for again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipshare.crm.payload import read_payload
from pipshare.errors import BadInput, PipshareError, Unavailable

JSON = "application/json"
LONGEST_WAIT_S = 3600.0  # a CRM's Retry-After counts up to this
_BUSY = (429, 503)


@dataclass(frozen=True)
class Ask:
    """One HTTP request."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What came back: whole, or `Call` has raised. Header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Call = Callable[[Ask], Answer]  # raises Unavailable: no connection, cut short, too long, too late


@dataclass(frozen=True)
class Page:
    """What one answer brought: `body` b"" = nothing to store. `cursor` holds after it.

    `place` names where it stood (a list and its page, a day): the same body at the same place is
    no news. With `more` another page follows in this round.
    """

    place: str
    body: bytes
    cursor: dict[str, Any]
    more: bool = True
    content_type: str = JSON


class Poller(Protocol):
    """One connection to one CRM. `poll_s`: seconds between two rounds."""

    poll_s: float

    def fetch(self, cursor: Mapping[str, Any], now_ms: int) -> Iterator[Page]:
        """Yield what is new since `cursor`. Raises PipshareError that names the fault."""
        ...

    def close(self) -> None:
        """Let go of what is open; never raises."""
        ...


class Busy(Unavailable):
    """The CRM asks for patience; `wait_s` seconds at least."""

    def __init__(self, message: str, wait_s: float) -> None:
        super().__init__("crm_busy", message)
        self.wait_s = wait_s


def taken(answer: Answer, where: str) -> Any:
    """Return the JSON of a good answer. Raises PipshareError: crm_busy, crm_denied, crm_status ..

    crm_denied and crm_not_found stay until somebody acts; the others may pass.
    """
    if answer.status in _BUSY:
        wait_s = _wait_s(answer.headers.get("retry-after", ""))
        raise Busy(f"{where} is busy (HTTP {answer.status}); it is asked again", wait_s)
    if answer.status in (401, 403):
        raise PipshareError(
            "crm_denied", f"{where} refuses us (HTTP {answer.status}): check user, password or key"
            " of this endpoint, and whether the CRM admits this machine's address",
        )  # fmt: skip
    if answer.status in (404, 405, 410):
        raise PipshareError(
            "crm_not_found", f"{where} is not known there (HTTP {answer.status}): check the address"
            " in the endpoint's settings",
        )  # fmt: skip
    if 300 <= answer.status < 400:
        raise PipshareError(
            "crm_elsewhere", f"{where} sends us elsewhere (HTTP {answer.status}), and nobody"
            " follows: give the address itself",
        )  # fmt: skip
    if answer.status != 200:
        raise Unavailable("crm_status", f"{where} fails (HTTP {answer.status}); it is asked again")
    try:
        told = read_payload(answer.body)
    except BadInput as error:
        raise Unavailable(
            "crm_bad_answer", f"{where} gave no whole JSON ({error.message}); nothing of it was"
            " taken, it is asked again",
        ) from None  # fmt: skip
    if isinstance(told, str):
        raise Unavailable("crm_error_text", f"{where} answers with a text: {told[:120]!r}")
    return told


def listed(told: Any, where: str, *names: str) -> list[Any]:
    """Return the list in an answer: itself, or what stands under the first of `names` it has."""
    if isinstance(told, list):
        return told
    if isinstance(told, dict):
        for name in names:
            if isinstance(told.get(name), list):
                return list(told[name])
        said = next((told[key] for key in ("message", "error", "detail") if told.get(key)), "")
        said = f": {str(said)[:120]!r}" if isinstance(said, str) and said else ""
        raise Unavailable(
            "crm_error_text", f"{where} answers without {' or '.join(names) or 'a list'}{said}"
        )
    raise Unavailable("crm_error_text", f"{where} answers {told!r:.60} instead of records")


def _wait_s(text: str) -> float:
    digits = text.strip()
    return min(float(digits), LONGEST_WAIT_S) if digits.isascii() and digits.isdigit() else 0.0
