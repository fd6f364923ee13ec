"""Who wants to become a partner in the demonstration: an agreement, an applicant, a told CRM.

The CRM gives whoever applies a number of its own, which is kept. A visitor may apply, too.
"""

from __future__ import annotations

import json
import time
from typing import Any

from pipshare import market, outbox, partners
from pipshare.cli.demo_tracking import BY
from pipshare.cli.options import console
from pipshare.partners import Applicant
from pipshare.pipeline import Run, onboarding

NAME = "Demo CRM's introducers"
RITA = Applicant("Rita Lopes", "rita@ib.example", "Lopes Trading", "PT",
                 about="A trading room of forty people in Porto.")  # fmt: skip
# How the CRM wants to hear of those who want to become partners, and what its answer means.
TOLD: dict[str, Any] = {
    "events": ["ib.applied", "ib.approved", "ib.rejected", "ib.tier_changed"],
    "body": json.dumps({"type": "=type", "application": "{application}", "name": "{name}",
                        "email": "=data.email", "reason": "=data.reason"}),
    "answer_id": "id",
    "answer_error": "state == 'rejected' && reason",
}  # fmt: skip
_AGREEMENT = ("introducers", "Agreement for introducing brokers",
              "You introduce clients; you neither advise them nor hold their money. What you earn"
              " by one is explained line by line, and taken back when his deposit is.")  # fmt: skip
_NOWHERE = "http://127.0.0.1:1/ib"  # until it is known where the sandbox CRM listens


def prepare(run: Run) -> None:
    """Make what is not there yet: agreement, receiver, and the one who has applied."""
    conn = run.conn
    entity_id = next(iter(market.entities(conn)))
    now = time.time_ns() // 1_000_000
    if not partners.agreements_at(conn, entity_id, now):
        onboarding.publish(conn, entity_id, *_AGREEMENT, valid_from_ms=now, by=BY)
    if not any(one.name == NAME for one in outbox.receivers(conn)):
        outbox.add(conn, entity_id, "request", NAME, {**TOLD, "url": _NOWHERE}, by=BY)
        offered = partners.agreements_at(conn, entity_id, now)
        onboarding.apply(conn, entity_id, RITA, offered, currency="EUR")
    conn.commit()


def point_to(run: Run, crm: str) -> None:
    """Let the receiver lead to the sandbox CRM at `crm`; what a visitor removed is gone."""
    for one in outbox.receivers(run.conn):
        if one.name == NAME:
            outbox.change(run.conn, one, {**one.settings, "url": f"{crm}/ib"}, by=BY)
    run.conn.commit()


def say(url: str) -> None:
    """Tell where to apply."""
    console.print(f"Apply:   {url.rstrip('/')}/apply/   become a partner: the CRM is told")


def say_known(run: Run) -> None:
    """Say under which numbers the CRM knows those who applied."""
    entity_id = next(iter(market.entities(run.conn)))
    applied = partners.applications(run.conn, entity_id=entity_id, limit=20)
    known = {one.subject: one.crm_id for one in
             outbox.externals(run.conn, [f"application:{one.id}" for one in applied])}  # fmt: skip
    run.conn.commit()
    said = ", ".join(f"application {one.id} is {known[f'application:{one.id}']}"
                     for one in applied if f"application:{one.id}" in known)  # fmt: skip
    console.print(f"Of those who want to become partners the CRM knows: {said or 'nobody yet'}.")
