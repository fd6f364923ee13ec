"""Documents that end soon: said to the broker's systems, an alert until they are renewed."""

from __future__ import annotations

from pipshare import clients, inbox, outbox
from pipshare.pipeline.run import Run
from pipshare.pipeline.said.people import Messages, moment

EXPIRING = "kyc.expiring"
ALERT = "kyc_expiring"
DAY_MS = 24 * 3_600_000
_NAMED = 5  # clients that an alert names


def tell_expiring(run: Run, now_ms: int) -> int:
    """Say once for each number of days which approved clients' documents end within it; commits.

    Returns how many messages were written. The alert of an entity is over when none ends soon.
    """
    run.current()
    said = Messages([])
    for entity_id, entity in run.entities.items():
        days = clients.expiry_days(run.conn, entity_id)
        soon = clients.expiring(
            run.conn, now_ms, now_ms + max(days, default=0) * DAY_MS, entity_id=entity_id
        )
        for one in soon:
            assert one.expires_ms is not None
            left = one.expires_ms - now_ms
            near = min(count for count in days if left <= count * DAY_MS)
            if not clients.note_expiry_said(run.conn, one.client_id, one.expires_ms, near):
                continue
            if run.wanted.by(entity_id, EXPIRING):
                key = f"{entity.code}/{one.code}/{one.expires_ms}/{near}"
                told = {"entity": entity.code, "client": one.code, "days": str(near),
                        "document": one.document, "expires_at": moment(one.expires_ms)}  # fmt: skip
                data = {name: text for name, text in told.items() if text}
                said.add(entity_id, EXPIRING, key, f"client:{entity.code}/{one.code}", now_ms, data)
        _alert(run, entity.code, soon)
    if said.rows:
        outbox.say(run.conn, said.frame())
    run.conn.commit()
    return len(said.rows)


def _alert(run: Run, entity: str, soon: list[clients.Verified]) -> None:
    if not soon:
        inbox.resolve_alert(run.conn, ALERT, entity)
        return
    named = ", ".join(f"{one.code} on {moment(one.expires_ms or 0)[:10]}" for one in soon[:_NAMED])
    more = f" and {len(soon) - _NAMED} more" if len(soon) > _NAMED else ""
    inbox.raise_alert(run.conn, ALERT, entity, (
        f"{entity}: documents end soon: {named}{more}. What is earned by a client after that is"
        " held where the programme waits for KYC; `pipshare kyc expiring` lists them"
    ))  # fmt: skip
