"""Documents that end soon are said once per number of days, and shown until they are renewed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from small_broker import SmallBroker

from pipshare import clients, inbox, outbox
from pipshare.errors import BadInput
from pipshare.facts.counted import Authority
from pipshare.facts.standing import APPROVED
from pipshare.period import to_ms
from pipshare.pipeline.loads import approve
from pipshare.pipeline.said.expiring import tell_expiring

HEAD = "event,kind,client,at,expires_at,document,source\n"
ENDS = "k1,kyc_approved,C-1,2026-03-01T10:00:00Z,2026-06-01T00:00:00Z,passport,crm\n"
RENEWED = "k2,kyc_approved,C-1,2026-05-20T10:00:00Z,2031-06-01T00:00:00Z,passport,crm\n"


def _ms(day: str) -> int:
    return to_ms(datetime.fromisoformat(f"2026-{day}").replace(tzinfo=UTC))


@pytest.fixture
def listening(broker: SmallBroker) -> SmallBroker:
    """A broker whose client's passport ends on 1 June, with a webhook."""
    assert not broker.load("events", HEAD + ENDS)[0].refused
    outbox.add(broker.conn, 1, "webhook", "CRM", {"url": "https://crm.example/in"}, by="anna")
    broker.conn.commit()
    return broker


def _said(broker: SmallBroker) -> list[dict[str, Any]]:
    rows = broker.conn.execute(
        "SELECT data FROM outbox_message WHERE type = 'kyc.expiring' ORDER BY id"
    ).fetchall()
    return [row[0] for row in rows]


def _alerts(broker: SmallBroker) -> list[str]:
    return [one.message for one in inbox.alerts(broker.conn) if one.code == "kyc_expiring"]


def test_it_is_said_thirty_and_seven_days_before(listening: SmallBroker) -> None:
    told = [tell_expiring(listening.run, _ms(day)) for day in
            ("05-01", "05-02", "05-03", "05-24", "05-25", "05-31", "06-01")]  # fmt: skip
    assert told == [0, 1, 0, 0, 1, 0, 0]
    assert _said(listening) == [
        {"entity": "main", "client": "C-1", "days": days, "document": "passport",
         "expires_at": "2026-06-01T00:00:00Z"} for days in ("30", "7")
    ]  # fmt: skip


def test_the_alert_stands_until_the_document_is_renewed(listening: SmallBroker) -> None:
    tell_expiring(listening.run, _ms("05-10"))
    (message,) = _alerts(listening)
    assert message.startswith("main: documents end soon: C-1 on 2026-06-01.")
    assert not listening.load("events", HEAD + RENEWED)[0].refused
    assert tell_expiring(listening.run, _ms("05-26")) == 0
    assert _alerts(listening) == []


def test_days_are_a_setting_and_none_is_silence(listening: SmallBroker) -> None:
    clients.set_expiry_days(listening.conn, 1, [3, 14, 3], by="anna")
    assert clients.expiry_days(listening.conn, 1) == (14, 3)
    assert tell_expiring(listening.run, _ms("05-10")) == 0
    assert tell_expiring(listening.run, _ms("05-20")) == 1
    clients.set_expiry_days(listening.conn, 1, [], by="anna")
    assert tell_expiring(listening.run, _ms("05-30")) == 0
    assert _alerts(listening) == []
    with pytest.raises(BadInput, match="1 to 366"):
        clients.set_expiry_days(listening.conn, 1, [0], by="anna")


def test_where_clients_stand_is_told_as_of_a_moment(listening: SmallBroker) -> None:
    listening.load("clients", "client,partner\nC-2,P-2\n")

    def states(day: str) -> dict[str, str]:
        return {one.code: one.state for one in clients.verified(listening.conn, _ms(day))}

    assert states("02-01") == {"C-1": "unverified", "C-2": "unverified"}
    assert states("05-01") == {"C-1": "approved", "C-2": "unverified"}
    assert states("06-01") == {"C-1": "expired", "C-2": "unverified"}
    counts = clients.count_verified(listening.conn, _ms("06-01"), 1)
    assert {state: count for state, count in counts.items() if count} == {
        "expired": 1, "unverified": 1,
    }  # fmt: skip
    (one,) = clients.verified(listening.conn, _ms("06-02"), state="expired", search="c-")
    assert (one.since_ms, one.expires_ms, one.document) == (_ms("06-01"),) * 2 + ("passport",)
    assert clients.verified(listening.conn, _ms("05-01"), after=("main", "C-1"))[0].code == "C-2"


def test_words_of_a_source_that_does_not_count_are_no_standing(listening: SmallBroker) -> None:
    other = "x1,kyc_withdrawn,C-1,2026-03-05T10:00:00Z,,,mail\n"
    assert not listening.load("events", HEAD + other)[0].refused

    def state() -> str:
        return clients.verified(listening.conn, _ms("05-01"))[0].state

    assert state() == "withdrawn"
    said = Authority("main", "kyc", 0, "crm")
    number = clients.say_authority(listening.conn, said, by="anna", reason="the CRM verifies")
    assert number is not None
    listening.conn.commit()
    approve(listening.run, number, by="ben")
    assert state() == "approved"
    assert clients.standing_columns(
        listening.conn, np.array([1]), np.array([_ms("05-01")])
    ).kyc.tolist() == [APPROVED]
