"""What somebody who plays with the CRM may let happen: faults, traders, deeds, answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipshare.sandbox.crm.clock import now_utc
from pipshare.sandbox.crm.faults import Fault
from pipshare.sandbox.crm.introducers import Answer

if TYPE_CHECKING:
    from pipshare.sandbox.crm.server import CrmServer

# Where it is posted -> what it takes.
CONTROLS = {
    "fault": '{"kind", "path", "times", "value"}: do something wrong; times -1 = ever',
    "clear": "end all faults",
    "trader": '{"plot", "tag"}: let somebody come now',
    "deed": '{"trader", "what", "of", "cents", "way", "state", "why"}: let something happen now;'
            " of = the transaction it is about",
    "hooks": '{"url", "secret"}: where webhooks go',
    "again": '{"id"}: send a webhook once more; without id all that were given up',
    "introducers": '{"answer", "reason", "times"}: accept, reject, reject-200 or time-out',
}  # fmt: skip


def control(crm: CrmServer, what: str, body: bytes) -> dict[str, Any]:
    """Do it; return what came of it. Raises ValueError or TypeError for what cannot be."""
    told = json.loads(body or b"{}")
    if not isinstance(told, dict):
        raise ValueError("write a JSON object")
    if what == "fault":
        fault = Fault(**told)
        (crm.courier.faults if fault.sends else crm.faults).add(fault)
    elif what == "clear":
        crm.faults.clear()
        crm.courier.faults.clear()
    elif what == "trader":
        who = crm.books.add_trader(now_utc(), told.get("plot", "stays"), told.get("tag"))
        return {"done": True, "trader": who.number, "plot": who.plot, "tag": who.tag}
    elif what == "deed":
        number, hooks = crm.books.make(
            now_utc(), int(told.pop("trader", 0)), str(told.pop("what", "")), told
        )
        for hook in hooks:
            crm.courier.add(hook)
        return {"done": True, "number": number, "webhooks": [hook.id for hook in hooks]}
    elif what == "hooks":
        crm.courier.send_to(str(told.get("url", "")), str(told.get("secret", "")))
    elif what == "again":
        return {"done": True, "count": crm.courier.again(str(told.get("id", "")))}
    elif what == "introducers":
        crm.introducers.say(Answer(**told))
    else:
        raise ValueError(f"nothing is at /control/{what}; there are {', '.join(CONTROLS)}")
    return {"done": True}
