"""What a call of the Web API gets, and the forms in which calls answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pipshare.sandbox.mt5.parameters import Parameters
from pipshare.sandbox.mt5.retcodes import BAD_PARAMETERS, NOT_FOUND, Refusal
from pipshare.sandbox.mt5.session import Manager
from pipshare.sandbox.mt5.world import World


@dataclass(frozen=True)
class Asked:
    """One request of a signed-in manager. `shift_s`: by how much the server's clock is wrong."""

    world: World
    given: Parameters
    manager: Manager
    page: int
    shift_s: int = 0


Call = Callable[[Asked], bytes]  # the JSON that stands in "answer"; raises Refusal


def one(record: bytes | None) -> bytes:
    """Answer with one record. Raises Refusal 13 when there is none."""
    if record is None:
        raise Refusal(NOT_FOUND)
    return record


def many(records: Iterable[bytes]) -> bytes:
    """Answer with a list of ready records: joined, not parsed."""
    return b"[" + b",".join(records) + b"]"


def written(value: Any) -> bytes:
    """Answer with something small that is not ready JSON yet."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def total(count: int) -> bytes:
    """Answer with a number of records."""
    return b'{"total":"%d"}' % count


def fields(record: bytes) -> dict[str, Any]:
    """Read a ready record, for the few calls that have to look into it."""
    found: dict[str, Any] = json.loads(record)
    return found


def exactly_one(given: Parameters, *names: str) -> str:
    """Return which of these parameters is given. Raises Refusal 3 for none, or two."""
    found = [name for name in names if given.has(name)]
    if len(found) != 1:
        raise Refusal(BAD_PARAMETERS)
    return found[0]


def logins_of(asked: Asked) -> list[int] | None:
    """Return the logins that `login` or `group` means; None: all that the manager sees."""
    if asked.given.has("login"):
        return asked.given.wholes("login")
    masks = asked.given.words("group")
    return None if masks == ["*"] else asked.world.logins(",".join(masks))


def known_login(asked: Asked) -> int:
    """Return the login asked for. Raises Refusal 13 when the manager sees no such account."""
    login = asked.given.whole("login")
    if asked.world.user(login) is None:
        raise Refusal(NOT_FOUND)
    return login


def page_of(asked: Asked, records: list[bytes]) -> bytes:
    """Answer with the page from `offset`, `total` records long: 100 at most."""
    offset, count = asked.given.whole("offset", 0), asked.given.whole("total", asked.page)
    if offset < 0 or count < 0:
        raise Refusal(BAD_PARAMETERS)
    return many(records[offset : offset + min(count, asked.page)])
