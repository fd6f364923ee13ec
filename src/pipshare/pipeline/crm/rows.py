"""What is being settled together: items with the payload they came in, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipshare.crm import Mapped
from pipshare.inbox import Endpoint, PayloadItem, WaitingItem
from pipshare.pipeline.crm.judge import Item, item_of

WAITS, PROBLEM, REFUSED, NOTED, PROPOSED = "waits", "problem", "refused", "noted", "proposed"
NOT_FOLLOWED = "not_followed"  # a claim: the item itself is right, and was taken
UNKNOWN_CLIENT, UNKNOWN_PARTNER = "unknown_client", "unknown_partner"


@dataclass
class Row:
    """One mapped item. `told` is what became of it, piece by piece: outcome, reason, detail.

    `only_claims`: it was settled before, and only whose client he is was left open.
    """

    payload_id: str
    run: int
    endpoint: Endpoint
    item: Item
    only_claims: bool = False
    told: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def by(self) -> str:
        """Return who says so, as records name him."""
        return f"crm:{self.endpoint.code}"

    @property
    def kind(self) -> str:
        """Return its canonical kind."""
        return self.item.kind

    @property
    def client(self) -> str:
        """Return the client's code, "" where only an account is named."""
        return self.item.fields.get("client", "")

    @property
    def entity(self) -> str:
        """Return the code of its entity."""
        return self.item.fields.get("entity", "")

    @property
    def event(self) -> tuple[str, str]:
        """Return its identity: source and event."""
        return self.item.fields.get("source", ""), self.item.fields.get("event", "")

    @property
    def is_open(self) -> bool:
        """Tell whether it can go on: nothing was wrong with it so far, and it does not wait."""
        return not self.told or not any(
            outcome in (WAITS, PROBLEM, REFUSED) for outcome, _, _ in self.told
        )

    def placed(self, place: int) -> Mapped:
        """Return it as crm.canonical takes it, numbered by its place among those settled."""
        return Mapped(place, self.item.rule, self.item.kind, self.item.fields, self.item.claims)

    def lines(self) -> list[PayloadItem]:
        """Return what is written into the log: one line for each thing that became of it."""
        return [self.line(*one) for one in self.told or [(NOTED, "", "")]]

    def line(self, outcome: str, reason: str = "", detail: str = "") -> PayloadItem:
        """Return a line of the log. What a problem found may be of a person: it is cut."""
        source, event = self.event
        one = self.item
        return PayloadItem(
            self.payload_id, self.run, one.item, one.rule, one.kind, source, event, self.client,
            outcome, reason, one.field, one.expression, detail[:500],
        )  # fmt: skip

    def waiting(self, place: int, entity_id: int, reason: str, key: str) -> WaitingItem:
        """Return it as it waits for something."""
        told: dict[str, Any] = {"item": self.item.kept(), "endpoint": self.endpoint.id,
                                "run": self.run,
                                "only_claims": reason == UNKNOWN_PARTNER}  # fmt: skip
        return WaitingItem(self.payload_id, self.item.item, place, entity_id, reason, key, told)


def row_of(one: WaitingItem, endpoints: Mapping[int, Endpoint]) -> Row:
    """Return an item that waited, to be settled."""
    told = one.told
    return Row(one.payload_id, int(told["run"]), endpoints[int(told["endpoint"])],
               item_of(told["item"]), bool(told["only_claims"]))  # fmt: skip
