"""The body of an answer: its retcode, and its value with every number kept as text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from pipshare.sources.mt5_web.errors import Garbled

_RETCODE = re.compile(rb'\s*\{\s*"retcode"\s*:\s*"?\s*(\d{1,9})\s*([^"\n]{0,200}?)\s*["\n,}]')
_LETTER, _DIGIT = re.compile(rb"[A-Za-z\x80-\xff]"), re.compile(rb"[0-9]")
_SHOWN = 80


@dataclass(frozen=True)
class Answer:
    """A whole answer: the retcode's number and text, the body as it came, and who was asked what
    (for messages)."""

    code: int
    text: str
    body: bytes
    where: str = ""


def read(body: bytes, where: str, content_type: str = "") -> Answer:
    """Take a body's retcode. Raises Garbled when it is no answer of the Web API."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    if head := _RETCODE.match(body):
        return Answer(int(head[1]), head[2].decode("utf-8", "replace"), body, where)
    start = body.lstrip()[:_SHOWN]
    if not start:
        raise Garbled(f"{where} gave an empty answer: is this the MT5 access server's Web API?")
    if start.startswith(b"<") or "html" in content_type:
        raise Garbled(
            f"{where} gave a web page instead of JSON ({_shown(start)}): another program answers "
            "at this address, a proxy or the server's maintenance page; check url and port"
        )
    told = value(Answer(0, "", body, where), whole=True)
    code, _, text = str(told.get("retcode", "")).strip().partition(" ")
    if not (code.isascii() and code.isdigit() and len(code) < 10):
        raise Garbled(f"{where} gave an answer without retcode ({_shown(start)})")
    return Answer(int(code), text.strip(), body, where)


def value(answer: Answer, *, whole: bool = False) -> Any:
    """Return the `answer` of a body (None when it has none), numbers as text.

    `whole`: the body's object itself. Raises Garbled when the JSON is cut or no JSON.
    """
    try:
        told = json.loads(
            answer.body.decode("utf-8", "replace"), parse_float=str, parse_int=str,
            parse_constant=str,
        )  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise garbled(answer, str(error)) from error
    if not isinstance(told, dict):
        raise Garbled(f"{answer.where} gave JSON that is no object ({_shown(answer.body)})")
    return told if whole else told.get("answer")


def garbled(answer: Answer, why: str) -> Garbled:
    """Return the error about a body that is no whole JSON.

    How it ends is shown without what it says: letters as a, digits as 0. It may be of people.
    """
    end = _shown(_DIGIT.sub(b"0", _LETTER.sub(b"a", answer.body[-40:])))
    return Garbled(
        f"{answer.where} gave broken or cut JSON ({why}; {len(answer.body)} bytes, ending {end}): "
        "nothing of it was used"
    )


def _shown(text: bytes) -> str:
    return repr(text[:_SHOWN].decode("utf-8", "replace"))
