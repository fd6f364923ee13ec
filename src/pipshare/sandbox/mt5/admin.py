"""The sandbox's own door, `/sandbox/...`, open with --admin only: faults and mischief by URL.

POST /sandbox/fault  {"kind": "drop", "path": "/api/deal/get_batch", "times": 1, "value": ""}
POST /sandbox/clear  ends all faults
POST /sandbox/world  {"do": "delete_deal", "ticket": 48200113}: a call of the world
GET  /sandbox/state  what was asked for so far, and which faults happened
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipshare.errors import PipshareError
from pipshare.sandbox.mt5.wire import Reply, Request

if TYPE_CHECKING:
    from pipshare.sandbox.mt5.server import Mt5Server

# What may be done to the world from outside.
DEEDS = {
    "advance", "archive_login", "burst", "cancel_deal", "close_trade", "compact", "delete_deal",
    "edit_deal", "edit_user", "hide_group", "late_deal", "open_account", "open_trade", "show_group",
}  # fmt: skip


def reply(server: Mt5Server, request: Request) -> Reply:
    """Do what is asked for; 400 with a sentence when it cannot be done."""
    try:
        given: dict[str, Any] = json.loads(request.body or b"{}")
        return _json({"done": _do(server, request.path.removeprefix("/sandbox/"), given)})
    except (LookupError, TypeError, ValueError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)
    except PipshareError as error:
        return _json({"error": error.message}, 400)


def _do(server: Mt5Server, what: str, given: dict[str, Any]) -> Any:
    if what == "fault":
        server.faults.add(
            given["kind"], given.get("path"), given.get("times", 1), given.get("value", "")
        )
    elif what == "clear":
        server.faults.clear()
    elif what == "world":
        deed = given.pop("do")
        if deed not in DEEDS:
            raise LookupError(f"no deed {deed!r}; there are {', '.join(sorted(DEEDS))}")
        with server.world.lock:
            return getattr(server.world, deed)(**given)
    elif what == "state":
        return {"requests": dict(server.requests), "faults": dict(server.faults.fired)}
    else:
        raise LookupError(f"nothing is at /sandbox/{what}")
    return True


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(json.dumps(value, default=str).encode() + b"\n", status)
