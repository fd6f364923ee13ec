"""A CRM tells over its own door of a deposit of 500 and of its chargeback: the CPA is taken back.

The trader room's preset, signed as it signs; in whatever order and however often it sends; before
and after the month is closed and the commission paid. The same over `POST /v1/events`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hook_senders import Endpoint, endpoint, hmac_of
from tests.scenarios.small_broker import SmallBroker
from tests.scenarios.window_plans import CPA

from pipshare import db, ledger, partners, statements
from pipshare.crm.presets import preset
from pipshare.people.keys import add_key
from pipshare.pipeline import paying, to_rest
from pipshare.pipeline.closing import close_period
from pipshare.pipeline.loads import approve

E8 = 10**8
LATER = 1_900_000_000_000
_EARNED = """
SELECT to_char(w.day, 'MM-DD'), a.state, sum(w.amount_e8)::bigint / 100000000
  FROM rating_window_line w JOIN clients_client c ON c.id = w.client_id
  JOIN ledger_account a ON a.id = w.account
 WHERE c.code = %s GROUP BY 1, 2 HAVING sum(w.amount_e8) <> 0 ORDER BY 1
"""
_STANDS = """
SELECT b.state, sum(b.amount_e8)::bigint / 100000000
  FROM ledger_balance b JOIN partners_partner p ON p.id = b.payee_id AND p.code = %s
 WHERE b.payee_kind = 'partner' GROUP BY 1 HAVING sum(b.amount_e8) <> 0
"""
BOTH = [("03-02", "accrued", 200), ("04-20", "accrued", -200)]


@pytest.fixture(scope="module")
def small(site: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBroker]:
    with db.connect() as conn:
        broker = SmallBroker(conn, tmp_path_factory.mktemp("broker"))
        broker.plan(CPA)
        yield broker


@pytest.fixture(scope="module")
def room(small: SmallBroker) -> Endpoint:
    return endpoint(None, code="room", preset=preset("trader-room"), mapping=None, verify=None)


@pytest.fixture
def send(client: Callable[..., Any], room: Endpoint) -> Callable[..., None]:
    """Let the trader room send payloads, each signed by HMAC-SHA512, and all be settled."""

    def make(small: SmallBroker, *payloads: dict[str, Any]) -> None:
        for told in payloads:
            body = json.dumps(told).encode()
            proof = base64.b64encode(hmac_of(room.secret, body, hashlib.sha512)).decode()
            answer = client().post(room.path, body, content_type="application/json",
                                   headers={"X-Room-Signature": f"sha512={proof}"})  # fmt: skip
            assert answer.status_code == 200, answer.content
            assert answer.json().get("problem", 0) == 0, answer.content
        to_rest(small.run)

    return make


def _payload(user: int, *payments: tuple[str, str]) -> dict[str, Any]:
    """Return what the room sends of a user, and of payments by state and day."""
    return {
        "user": {"no": user, "registered": "01/03/2026 12:00", "nation": "Cyprus", "promo": "P-2"},
        "payments": [
            {"no": user, "kind": "in/card", "state": state, "changed": f"{day}/2026 12:00",
             "cents": 50000, "cur": "usd"} for state, day in payments
        ],
    }  # fmt: skip


def _story(user: int) -> list[dict[str, Any]]:
    return [_payload(user), _payload(user, ("done", "02/03")),
            _payload(user, ("charged back", "20/04"))]  # fmt: skip


def _earned(small: SmallBroker, user: int) -> list[tuple[str, str, int]]:
    rows = small.conn.execute(_EARNED, (str(user),)).fetchall()
    small.conn.commit()
    return [(day, state, int(amount)) for day, state, amount in rows]


def _stands(small: SmallBroker, partner: str) -> dict[str, int]:
    rows = small.conn.execute(_STANDS, (partner,)).fetchall()
    small.conn.commit()
    assert ledger.verify(small.conn)[0] == []
    assert statements.check_lines(small.conn) == []
    return {state: int(amount) for state, amount in rows}


def test_the_door_takes_the_story_in_any_order_and_repeats(
    small: SmallBroker, send: Callable[..., None]
) -> None:
    before = _stands(small, "P-2")  # other stories of the same broker may have been told
    orders = list(enumerate(permutations(range(3)), 1))
    for nth in range(3):
        sent = [_story(user)[order[nth]] for user, order in orders]
        send(small, *sent, *sent[:2])
    for user, _ in orders:
        assert _earned(small, user) == BOTH
    send(small, *(told for user, _ in orders for told in _story(user)))
    assert [_earned(small, user) for user, _ in orders] == [BOTH] * 6
    assert _stands(small, "P-2") == before


def test_one_payload_tells_it_all_at_once(small: SmallBroker, send: Callable[..., None]) -> None:
    send(small, _payload(50, ("charged back", "20/04"), ("done", "02/03")))
    assert _earned(small, 50) == BOTH


def test_pushed_events_take_it_back_whatever_comes_first(
    small: SmallBroker, client: Callable[..., Any]
) -> None:
    with db.transaction() as conn:
        key = add_key(conn, "pusher", ["events:write"], by="tests")
    at = "T10:00:00Z"
    rows = [
        {"event": "l", "kind": "chargeback.lost", "at": f"2026-04-20{at}", "reference": "d"},
        {"event": "d", "kind": "deposit.approved", "at": f"2026-03-02{at}", "amount": "500",
         "currency": "USD"},
        {"event": "r", "kind": "client.registered", "at": f"2026-03-01{at}"},
    ]  # fmt: skip
    for row in [*rows, *rows]:
        answer = client().generic(
            "POST", "/v1/events", json.dumps({"client": "C-1", **row}).encode(),
            "application/json", headers={"Authorization": f"Bearer {key}"},
        )  # fmt: skip
        assert answer.status_code == 200, answer.content
        to_rest(small.run)
    rows_ = small.conn.execute(_EARNED, ("C-1",)).fetchall()
    assert [(day, state, int(amount)) for day, state, amount in rows_] == BOTH


def test_after_the_month_is_closed_and_paid_the_chargeback_is_a_debt(
    small: SmallBroker, send: Callable[..., None]
) -> None:
    send(small, *_story(90)[:2])
    assert _stands(small, "P-2") == {"accrued": 200}
    close_period(small.run, "main", "2026-03", by="anna", now_ms=LATER)
    march = statements.frozen(small.conn, 1, "2026-03")
    him = partners.partner(small.conn, "P-2")
    # Earlier clients' commissions of March were taken back in April: they are payable, and owed.
    assert paying.payable(small.conn, him) == 200 * E8
    number = paying.propose_payment(small.conn, him, 200 * E8, reference="SEPA-1",
                                     paid_on=date(2026, 4, 3), by="anna")  # fmt: skip
    approve(small.run, number, by="ben")
    before = _stands(small, "P-2")
    send(small, _story(90)[2], _story(90)[2])
    after = _stands(small, "P-2")
    assert after.get("accrued", 0) - before.get("accrued", 0) == -200
    assert sum(after.values()) == 0
    assert statements.frozen(small.conn, 1, "2026-03") == march
    assert paying.payable(small.conn, him) == 0
    close_period(small.run, "main", "2026-04", by="anna", now_ms=LATER)
    assert _stands(small, "P-2") == {"paid": 200, "accrued": -200}
