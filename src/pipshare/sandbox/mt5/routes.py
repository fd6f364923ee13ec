"""Every call of the Web API that the sandbox knows: path, what answers it, and who may ask."""

from __future__ import annotations

from pipshare.sandbox.mt5 import accounts, records, retcodes, settings
from pipshare.sandbox.mt5.asked import Asked, Call
from pipshare.sandbox.mt5.retcodes import Refusal
from pipshare.sandbox.mt5.world import Refused

CALLS: dict[str, Call] = {**records.CALLS, **accounts.CALLS, **settings.CALLS}
# The right that a manager needs, by the first part of the path; the rest needs none.
RIGHTS = {
    "deal": "trades",
    "position": "trades",
    "order": "trades",
    "history": "trades",
    "user": "accounts",
    "trade": "accountant",
}


def run(path: str, asked: Asked) -> bytes | None:
    """Return the JSON of the answer, or None for a path that does not exist. Raises Refusal."""
    call = CALLS.get(path)
    if call is None:
        return None
    right = RIGHTS.get(path.split("/")[2])
    if right is not None and right not in asked.manager.rights:
        raise Refusal(retcodes.NO_PERMISSION)
    try:
        with asked.world.lock:
            asked.world.advance()
            return call(asked)
    except Refused as refused:
        raise Refusal(refused.retcode, refused.text) from None
