"""What the CRM does wrong on request: in its answers, and in what it sends."""

from __future__ import annotations

from dataclasses import dataclass

from pipshare.sandbox.tracker.faults import KINDS as ON_THE_WIRE
from pipshare.sandbox.tracker.faults import Fault as WireFault

# Kind -> what it does with its value. Those of the wire are the sandbox tracker's.
ANSWERS = {
    **ON_THE_WIRE,
    "half": "answers with the first half, and closes",
    "200-error": "HTTP 200 with the text of an error, as CurrentDesk does",
    "empty": "answers with no records",
}
SENDING = {
    "duplicate": "sends it twice, with the same id",
    "shuffle": "holds VALUE messages (5) back, then sends the last first",
    "bad-signature": "signs with another secret, and rightly the second time",
    "stale": "is an hour old by its timestamp, and right the second time",
    "cut": "breaks off half-way, and is whole the second time",
}


@dataclass
class Fault(WireFault):
    """A fault for what begins with `path` (an address asked for, or a webhook's event), so many
    `times` (-1 = ever). Raises ValueError for a kind that there is not."""

    path: str = ""

    def __post_init__(self) -> None:
        status = self.kind.isdecimal() and 400 <= int(self.kind) <= 599
        if self.kind not in ANSWERS and self.kind not in SENDING and not status:
            known = ", ".join((*ANSWERS, *SENDING))
            raise ValueError(f"no fault {self.kind!r}; there are {known}")

    @property
    def sends(self) -> bool:
        """Tell whether it is of what is sent, and not of answers."""
        return self.kind in SENDING
