"""The sandbox CRM's partner API over real HTTP, and what the currentdesk preset makes of it."""

from __future__ import annotations

import json
import re
import socket
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from crm_calls import BASIC, Start, ask, records, until

from pipshare.crm import Mapped, Skipped, preset
from pipshare.sandbox.crm import APIS, Cast, CrmServer, Partner
from pipshare.sandbox.crm.currentdesk import WRONG

FIELDS = {
    "LeadRegistration": "TraderID TraderName RegistrationDate Status CTag___SubCampaign",
    "TradeInfo": "TraderID TraderAlias CreationDate cTag",
    "TransactionInfo": "TransactionID TraderID TransactionDate cTag ActionType Coin Amount",
    "TraderStatus": "TransactionID TraderID TransactionDate cTag ActionType Coin Amount Turnover"
    " Spreads",
}
ACTIONS = {"Incoming Funds", "Outgoing Funds", "Internal Transfers", "Credit In", "Credit Out"}


def _day(back: int = 0) -> str:
    return (datetime.now(UTC) - timedelta(days=back)).date().isoformat()


def _through(crm: CrmServer, deeds: int = 100) -> CrmServer:
    until(lambda: len(crm.books.happened) >= deeds)
    return crm


def test_records_have_the_fields_and_words_of_the_partner_api(start: Start) -> None:
    crm = _through(start(days_ago=90))
    for api in APIS:
        found = records(crm.url, api, _day(91), _day())
        assert found
        assert {" ".join(one) for one in found} == {FIELDS[api]}
    money = records(crm.url, "TransactionInfo", _day(91), _day())
    assert {one["ActionType"].partition(" - ")[0] for one in money} == ACTIONS
    dates = {one["TransactionDate"] for one in money}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", one) for one in dates)
    path = f"/api/TransactionInfo?startDate={_day(91)}&endDate={_day()}"
    text = ask(crm.url, path, authorization=BASIC)[1]
    assert '"Amount": 500.10}' in text, "an amount is a number with two decimals"


def test_the_preset_takes_all_of_it(start: Start) -> None:
    crm = _through(start(days_ago=90))
    filled = preset("currentdesk").filled({"server": "S", "zone": "UTC", "partner prefix": "IB-"})
    kinds = set()
    for api in APIS:
        told = records(crm.url, api, _day(91), _day())
        for outcome in filled.apply(told, received_ms=0):
            assert isinstance(outcome, Mapped | Skipped), str(outcome)
            kinds |= {outcome.fields["kind"]} if isinstance(outcome, Mapped) else set()
    assert kinds == {
        "registration", "account.opened", "deposit", "withdrawal", "bonus", "bonus_removed",
    }  # fmt: skip


def test_days_are_windows(start: Start) -> None:
    crm = _through(start(Cast(every_s=0, at_once=3), days_ago=90), 35)
    whole = records(crm.url, "TransactionInfo", _day(91), _day())
    days = [records(crm.url, "TransactionInfo", _day(back), _day(back))
            for back in range(91, -1, -1)]  # fmt: skip
    assert [one for day in days for one in day] == whole
    assert records(crm.url, "TransactionInfo", "2001-01-01", "2001-12-31") == []


def test_the_end_may_be_left_out_and_dates_be_of_another_zone(start: Start) -> None:
    crm = _through(start(partner=Partner(whole_end=False), zone="Pacific/Kiritimati"), 17)
    here = datetime.now(UTC) + timedelta(hours=14)
    today, tomorrow = here.date().isoformat(), (here + timedelta(days=1)).date().isoformat()
    assert records(crm.url, "LeadRegistration", today, today) == []
    found = records(crm.url, "LeadRegistration", today, tomorrow)
    assert {one["RegistrationDate"][:10] for one in found} == {today}


@pytest.mark.parametrize(
    "asked",
    ["", "startDate=2026-11-02", "startDate=2026-11-02&endDate=2026-11-01",
     "startDate=2026-11-31&endDate=2026-12-01", "startDate=02.11.2026&endDate=03.11.2026"],
)  # fmt: skip
def test_what_is_wrong_is_told_with_http_200(start: Start, asked: str) -> None:
    status, text = ask(start().url, f"/api/TradeInfo?{asked}", authorization=BASIC)
    assert (status, json.loads(text)) == (200, WRONG)


def test_nobody_else_is_answered(start: Start) -> None:
    url, path = start().url, f"/api/TradeInfo?startDate={_day()}&endDate={_day()}"
    for header in ("", "Basic", "Basic !!", "Bearer x", "Basic cGFydG5lcjpQYXNzd29yZDE="):
        assert ask(url, path, authorization=header)[0] == 401, "a colon is not a comma"
    assert ask(url, path.replace("TradeInfo", "Nothing"), authorization=BASIC)[0] == 404


def test_faults_on_request(start: Start) -> None:
    crm = _through(start(), 60)
    path = f"/api/TransactionInfo?startDate={_day(1)}&endDate={_day()}"
    whole = ask(crm.url, path, authorization=BASIC)[1]

    def fail(kind: str, **more: object) -> tuple[int, str]:
        told = {"kind": kind, "path": "/api/TransactionInfo", **more}
        assert ask(crm.url, "/control/fault", told)[0] == 200
        return ask(crm.url, path, authorization=BASIC)

    assert fail("500")[0] == 500
    assert fail("retry-after", value="1")[0] == 503
    assert fail("200-error") == (200, json.dumps(WRONG) + "\n")
    assert fail("empty") == (200, "[]\n")
    assert fail("429", times=2)[0] == 429
    assert ask(crm.url, path, authorization=BASIC)[0] == 429
    assert fail("500", path="/api/TradeInfo") == (200, whole), "another list's"
    assert ask(crm.url, "/control/clear", {})[0] == 200
    assert ask(crm.url, "/control/fault", {"kind": "half"})[0] == 200
    with socket.create_connection(("127.0.0.1", urlsplit(crm.url).port or 0), timeout=5) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {BASIC}\r\n\r\n".encode())
        got = b""
        while chunk := wire.recv(65536):
            got += chunk
    head, _, body = got.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole)}".encode() in head
    assert whole.encode().startswith(body)
    assert 0 < len(body) < len(whole)
    assert ask(crm.url, "/control/fault", {"kind": "nonsense"})[0] == 400
    logged = json.loads(ask(crm.url, "/received?what=TransactionInfo")[1])["received"]
    assert logged[0]["answered"] == "fault half"


def test_the_page_shows_it_all(start: Start) -> None:
    crm = _through(start(), 100)
    page = ask(crm.url, "/")[1]
    assert "17 traders" in page
    assert "dispute" in page
    assert "POST /control/deed" in page
    happened = json.loads(ask(crm.url, "/happened?limit=5")[1])
    assert len(happened["happened"]) == 5 < happened["count"]
    assert ask(crm.url, "/nothing")[0] == 404
    assert ask(crm.url, "/nothing", {})[0] == 404
    crm.books.add_trader(datetime.now(UTC), "stays", "<script>x</script>")
    assert "<script>" not in ask(crm.url, "/")[1]
