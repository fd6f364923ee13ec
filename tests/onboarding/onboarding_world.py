"""A broker with two programmes and a master IB; a receiver that hears everything; a CRM's door."""

from __future__ import annotations

import json
import time
from typing import Any

from pipshare import inbox, outbox
from pipshare.inbox import NewPayload
from pipshare.partners import Applicant
from pipshare.pipeline import Run, onboarding
from pipshare.pipeline.crm.settle import settle_payloads
from pipshare.pipeline.loads import apply_plan, load

SOFIA = Applicant(
    "Sofia Marques", "sofia@ib.example", company="Marques Lda", country="PT",
    website="https://ib.example", address="198.51.100.7", agent="Firefox",
)  # fmt: skip
PLAN = """
[programme]
code = "{0}"
levels = 2
[[component]]
code = "lots"
mode = "per_level"
basis = "lot"
[[component.rate]]
card = "standard"
amount = "5"
currency = "USD"
[[component.rate]]
card = "gold"
amount = "7"
currency = "USD"
"""
_FIELDS = ("event", "at", "ib", "partner", "name", "email", "country", "parent", "currency",
           "programme", "tier", "reason", "effective_at")  # fmt: skip
_MAY = {
    "ib.applied": _FIELDS[:9], "ib.approved": _FIELDS[:11],
    "ib.rejected": ("event", "at", "ib", "reason"),
    "ib.tier_changed": ("event", "at", "ib", "partner", "programme", "tier", "effective_at"),
}  # fmt: skip
MAPPING = {
    "format": 1, "name": "ibs",
    "rules": [
        {"name": kind, "when": [{"from": "kind", "is": kind}], "kind": kind,
         "fields": [{"field": name, "from": name} for name in may]}
        for kind, may in _MAY.items()
    ],
}  # fmt: skip


class World:
    """What tests hold on to."""

    def __init__(self, conn: Any, folder: Any) -> None:
        self.conn, self.folder, self.run, self.sent = conn, folder, Run(conn), 0
        self.load("partners", "partner,name\nMASTER,The master\n")
        for code in ("standard-plan", "other-plan"):
            path = folder / f"{code}.toml"
            path.write_text(PLAN.format(code))
            apply_plan(self.run, path, by="anna")
        told = {"url": "https://crm.example/hooks"}
        self.receiver = outbox.add(conn, 1, "webhook", "Our CRM", told, by="anna")
        self.endpoint = inbox.add_endpoint(conn, 1, "crm", "webhook", by="anna")
        inbox.publish_mapping(conn, self.endpoint, MAPPING, by="anna")
        conn.commit()

    def load(self, kind: str, text: str, **signed: str) -> Any:
        path = self.folder / f"{kind}.csv"
        path.write_text(text)
        done = load(self.run, kind, path, **{"by": "anna", **signed})
        assert not any(one.refused for one in done.reports), done.reports
        return done

    def agreement(self, text: str = "We pay. You behave.", code: str = "partner") -> Any:
        return onboarding.publish(self.conn, 1, code, "IB agreement", text,
                                  valid_from_ms=time.time_ns() // 1_000_000, by="anna")  # fmt: skip

    def apply(self, who: Applicant = SOFIA, agreed: Any = (), **given: Any) -> Any:
        told = {"currency": "EUR", "parent": "MASTER", **given}
        return onboarding.apply(self.conn, 1, who, agreed, **told)

    def said(self) -> list[tuple[str, str, dict[str, Any]]]:
        rows = self.conn.execute("SELECT type, subject, data FROM outbox_message ORDER BY id")
        return [tuple(row) for row in rows]

    def send(self, *told: dict[str, Any]) -> list[tuple[str, str]]:
        """Send one payload of the CRM, settle it; return outcomes and reasons."""
        self.sent += 1
        body = json.dumps([{**each, "sent": self.sent} for each in told]).encode()
        one = NewPayload(self.endpoint.id, time.time_ns() // 1_000_000, body)
        inbox.store_payloads(self.conn, [one])
        self.conn.commit()
        settle_payloads(self.run)
        return self.outcomes(one.id)

    def outcomes(self, payload: str) -> list[tuple[str, str]]:
        return [(each.outcome, each.reason) for each in inbox.payload_items(self.conn, payload)]


def ib(kind: str, number: str, day: int = 1, **more: Any) -> dict[str, Any]:
    """Return a record of a CRM about one of its IBs."""
    return {"kind": f"ib.{kind}", "event": f"{kind}-{number}-{day}", "ib": number,
            "at": f"2026-10-{day:02}T10:00:00Z", **more}  # fmt: skip
