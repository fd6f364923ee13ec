"""Reader of the hand-written transcripts (tests/transcripts): requests and what must answer them.

The format stands at the head of each transcript. `exchanges(path, **values)` gives them in order;
`Exchange.faults(status, body)` says what an answer has otherwise. Nothing here knows the sandbox
or a connector.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlsplit

MT5_WEB = Path(__file__).parent / "transcripts" / "mt5_web.txt"
# The documentation and MetaQuotes' own clients call the same field by two names.
EITHER = {"ModificationFlags": "ModifyFlags"}


@dataclass(frozen=True)
class Exchange:
    """One request and the answer that the documentation gives; texts as they go over the wire."""

    name: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    check: str
    status: int
    answer_headers: dict[str, str]
    answer: bytes

    @property
    def path(self) -> str:
        """The target without its parameters."""
        return urlsplit(self.target).path

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the request line."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def faults(self, status: int, body: bytes) -> list[str]:
        """Return what an answer has otherwise than the transcript, one sentence each."""
        found = [] if status == self.status else [f"status {status}, not {self.status}"]
        try:
            got = json.loads(body)
        except ValueError as error:
            return [*found, f"no JSON: {error}"]
        wanted = json.loads(self.answer)
        if self.check == "exact":
            return found if got == wanted else [*found, f"{got} is not {wanted}"]
        if str(got.get("retcode")).split(" ")[0] != wanted["retcode"].split(" ")[0]:
            found.append(f"retcode {got.get('retcode')!r}, not {wanted['retcode']!r}")
        return found + _unlike(wanted, got, self.name)


def exchanges(path: Path = MT5_WEB, **values: str | int) -> list[Exchange]:
    """Read a transcript; `values` stand in for its `let` lines, which they must name."""
    given = let(path)
    assert not values.keys() - given.keys(), f"no such value: {values.keys() - given.keys()}"
    given |= {name: str(value) for name, value in values.items()}
    found: list[tuple[str, dict[str, list[str]], list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("@ "):
            found.append((line[2:], {">": [], "<": []}, ["exact"]))
        elif line.startswith("check "):
            found[-1][2][0] = line.removeprefix("check ")
        elif line[:1] in (">", "<"):
            found[-1][1][line[0]].append(Template(line[2:]).substitute(given))
    return [_exchange(name, parts[">"], check[0], parts["<"]) for name, parts, check in found]


def let(path: Path = MT5_WEB) -> dict[str, str]:
    """Return the values that the transcript gives itself."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("let "):
            name, _, value = line.removeprefix("let ").partition(" = ")
            found[name] = value
    return found


def _exchange(name: str, asked: list[str], check: str, said: list[str]) -> Exchange:
    method, target, _ = asked[0].split(" ")
    status = int(said[0].split(" ")[1])
    request, answer = _head_and_body(asked[1:]), _head_and_body(said[1:])
    return Exchange(name, method, target, *request, check, status, *answer)


def _head_and_body(lines: list[str]) -> tuple[dict[str, str], bytes]:
    end = lines.index("") if "" in lines else len(lines)
    heads = {}
    for line in lines[:end]:
        name, _, value = line.partition(": ")
        heads[name] = value
    return heads, "\n".join(lines[end + 1 :]).encode()


def _kind(text: str) -> str:
    if re.fullmatch(r"-?\d+", text):
        return "whole number"
    return "decimal number" if re.fullmatch(r"-?\d+\.\d+", text) else "text"


# What may stand for what: an amount in yen has no decimals, a comment may be all digits.
STANDS_FOR = {
    "whole number": {"whole number"},
    "decimal number": {"decimal number", "whole number"},
    "text": {"text", "decimal number", "whole number"},
}


def _unlike(wanted: Any, got: Any, where: str) -> list[str]:
    """Return where `got` does not have the form of `wanted`."""
    if type(wanted) is not type(got):
        return [f"{where}: {type(got).__name__}, not {type(wanted).__name__}"]
    if isinstance(wanted, dict):
        found = []
        for name, value in wanted.items():
            other = name if name in got else EITHER.get(name, name)
            if other not in got:
                found.append(f"{where}.{name} is not there")
            elif name != "retcode":
                found += _unlike(value, got[other], f"{where}.{name}")
        return found
    if isinstance(wanted, list):
        if not wanted or not got:
            return [f"{where} is empty"] if wanted else []
        return [text for one in got for text in _unlike(wanted[0], one, f"{where}[]")][:5]
    if isinstance(wanted, str) and _kind(got) not in STANDS_FOR[_kind(wanted)]:
        return [f"{where} is {got!r}, a {_kind(got)}, unlike {wanted!r}"]
    return []
