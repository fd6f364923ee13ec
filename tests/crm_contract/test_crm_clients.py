"""Clients of polled CRMs over real HTTP: windows, pages, cursors, and every fault by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from tests.crm_contract import fake_systems as fakes
from tests.crm_contract.fake_systems import KEY, SECRET

from pipshare.crm import b2core, broctagon, currentdesk, lists, track360
from pipshare.crm.cut import cut
from pipshare.crm.polled import Busy, Page
from pipshare.errors import BadInput, PipshareError
from pipshare.period import to_ms

DAY_MS = 86_400_000
NOW_MS = to_ms(datetime.fromisoformat("2026-03-20T12:00:00+00:00"))
START = Callable[..., Any]
CONTRACT: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "currentdesk": (fakes.CurrentDesk, currentdesk.CurrentDesk,
                    {"user": "partner", "since": "2026-03-01"}, SECRET),
    "b2core": (fakes.B2Core, b2core.B2Core, {"page": 10, "overlap": 20}, KEY),
    "broctagon": (fakes.Broctagon, broctagon.Broctagon, {"since": "2026-03-01", "page": 10}, KEY),
    "track360": (fakes.Track360, track360.Track360, {"client_id": "us", "page": 10}, SECRET),
}  # fmt: skip
CONFIGS = {"currentdesk": currentdesk.Config, "b2core": b2core.Config,
           "broctagon": broctagon.Config, "track360": track360.Config}  # fmt: skip


def _pair(name: str, start: START, call: Any, **more: Any) -> tuple[Any, Any]:
    """Return a fake and the client that asks it."""
    make, client, settings, secret = CONTRACT[name]
    fake = start(make)
    url = f"{fake.base}/api" if name == "currentdesk" else fake.base
    config = CONFIGS[name].parse({"url": url, **settings, **more}, secret)
    return fake, client(config, call)


def _fill(name: str, fake: Any, count: int = 25) -> None:
    """Give a fake so many records in its lists, on the days of March."""
    for list_ in {"currentdesk": ("LeadRegistration", "TransactionInfo"),
                  "b2core": ("clients", "transactions"), "broctagon": ("users", "transactions"),
                  "track360": ("customers", "transactions")}[name]:  # fmt: skip
        fake.lists[list_] = [
            {"id": f"{list_}-{number}", **dict.fromkeys(
                ("RegistrationDate", "TransactionDate", "createTime", "timestamp",
                 "last_modified_date"), f"2026-03-{1 + number % 20:02} 10:{number % 60:02}:00")}
            for number in range(count)
        ]  # fmt: skip


def _ids(pages: list[Page]) -> list[str]:
    found = []
    for page in pages:
        if page.body:
            body = json.loads(page.body)
            rows = body if isinstance(body, list) else body.get("data") or body.get("records")
            found += [row["id"] for row in rows]
    return found


def _until_fault(client: Any, cursor: Mapping[str, Any]) -> tuple[list[Page], PipshareError]:
    """Return the pages that came before the round's fault, and the fault."""
    pages: list[Page] = []
    try:
        for page in client.fetch(cursor, NOW_MS):
            pages.append(page)
    except PipshareError as error:
        return pages, error
    raise AssertionError("no fault")


def _round(client: Any, cursor: Mapping[str, Any], now_ms: int = NOW_MS) -> list[Page]:
    return list(client.fetch(cursor, now_ms))


@pytest.mark.parametrize("name", CONTRACT)
def test_all_records_come_and_then_only_what_is_new(name: str, fake: START, call: Any) -> None:
    system, client = _pair(name, fake, call)
    _fill(name, system)
    pages = _round(client, {})
    everything = {row["id"] for rows in system.lists.values() for row in rows}
    assert set(_ids(pages)) == everything
    assert [page.more for page in pages] == [True] * (len(pages) - 1) + [False]
    for rows in system.lists.values():
        rows.append({**rows[0], "id": f"new-{rows[0]['id']}", **dict.fromkeys(
            set(rows[0]) - {"id"}, "2026-03-20 11:00:00")})  # fmt: skip
    again = _round(client, json.loads(json.dumps(pages[-1].cursor)), NOW_MS + 3600_000)
    assert {one for one in _ids(again) if one.startswith("new-")} == {
        f"new-{list_}-0" for list_ in system.lists
    }


@pytest.mark.parametrize("name", CONTRACT)
def test_a_round_that_broke_off_goes_on_where_it_was(name: str, fake: START, call: Any) -> None:
    system, client = _pair(name, fake, call)
    _fill(name, system, 60)
    system.fault, system.after = fakes.DOWN, 3
    got, error = _until_fault(client, {})
    assert error.code == "crm_status"
    assert got
    system.fault = ""
    rest = _round(client, json.loads(json.dumps(got[-1].cursor)))
    everything = {row["id"] for rows in system.lists.values() for row in rows}
    assert set(_ids(got)) | set(_ids(rest)) == everything
    assert rest[0].place != got[0].place


@pytest.mark.parametrize(
    ("fault", "code", "passes"),
    [
        (fakes.HALF, "crm_half_answer", True),
        (fakes.SILENT, "crm_half_answer", True),
        (fakes.TEXT, "crm_error_text", True),
        (fakes.GARBAGE, "crm_bad_answer", True),
        (fakes.BUSY, "crm_busy", True),
        (fakes.DOWN, "crm_status", True),
        (fakes.DENIED, "crm_denied", False),
        (fakes.ELSEWHERE, "crm_elsewhere", False),
    ],
)
@pytest.mark.parametrize("name", CONTRACT)
def test_a_bad_answer_is_a_named_fault_and_moves_nothing(
    name: str, fault: str, code: str, passes: bool, fake: START, call: Any
) -> None:
    system, client = _pair(name, fake, call)
    _fill(name, system)
    system.fault = fault
    pages, error = _until_fault(client, {})
    assert pages == []
    assert (error.code, error.retryable) == (code, passes)
    assert system.base.removeprefix("http://") in error.message
    assert SECRET not in error.message
    assert KEY not in error.message
    assert not isinstance(error, Busy) or error.wait_s == 7


@pytest.mark.parametrize("name", ["b2core", "broctagon", "track360"])
def test_the_same_page_again_is_a_fault(name: str, fake: START, call: Any) -> None:
    system, client = _pair(name, fake, call)
    _fill(name, system)
    system.fault, system.after = fakes.SAME, 1
    pages, error = _until_fault(client, {})
    assert error.code == "crm_same_page"
    assert len(pages) == 1
    assert _until_fault(client, pages[0].cursor)[1].code == "crm_same_page"


def test_a_list_without_an_end_is_a_fault(
    fake: START, call: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "MOST_PAGES", 2)
    system, client = _pair("b2core", fake, call)
    _fill("b2core", system)
    with pytest.raises(PipshareError, match="no end"):
        _round(client, {})


def test_currentdesk_is_asked_by_days_that_overlap(fake: START, call: Any) -> None:
    system, client = _pair("currentdesk", fake, call, lists="TransactionInfo", window_days=7)
    _fill("currentdesk", system)
    pages = _round(client, {})
    asked = [fakes.query(got) for got in system.asked("TransactionInfo")]
    assert [(one["startDate"], one["endDate"]) for one in asked] == [
        ("2026-03-01", "2026-03-09"), ("2026-03-08", "2026-03-16"), ("2026-03-15", "2026-03-21"),
    ]  # fmt: skip
    assert pages[-1].cursor == {"TransactionInfo": "2026-03-20"}
    system.sink.got.clear()
    _round(client, pages[-1].cursor, NOW_MS + DAY_MS)
    (one,) = [fakes.query(got) for got in system.asked("TransactionInfo")]
    assert (one["startDate"], one["endDate"]) == ("2026-03-17", "2026-03-22")


def test_currentdesk_reads_the_list_that_is_furthest_behind_first(fake: START, call: Any) -> None:
    system, client = _pair("currentdesk", fake, call)
    _round(client, {"TradeInfo": "2026-03-19", "LeadRegistration": "2026-03-19"})
    names = [got.path.partition("?")[0].rpartition("/")[2] for got in system.asked()]
    assert names[:3] == ["TransactionInfo"] * 3
    assert set(names) == set(currentdesk.config.READ)


def test_a_long_day_is_cut_and_no_digit_changes() -> None:
    amounts = ["0.10", "1E+2", "12345678901234567890.12345678", "5"]
    body = "[" + " ,\n".join(f'{{"Amount": {one}, "n": "]\\"["}}' for one in amounts) + " ]"
    assert cut(body.encode()) == [body.encode()]
    pieces = cut(body.encode(), 3)
    assert pieces[0].decode() == "[" + ",".join(
        f'{{"Amount": {one}, "n": "]\\"["}}' for one in amounts[:3]) + "]"  # fmt: skip
    assert pieces[1] == b'[{"Amount": 5, "n": "]\\"["}]'
    assert cut(b" [ ] ") == []


def test_a_sorted_list_is_read_from_its_end_less_an_overlap(fake: START, call: Any) -> None:
    system, client = _pair("b2core", fake, call, lists="transactions")
    _fill("b2core", system, 95)
    cursor = _round(client, {})[-1].cursor
    system.sink.got.clear()
    again = _round(client, cursor, NOW_MS + 60_000)
    assert [fakes.query(got)["offset"] for got in system.asked()] == ["70", "80", "90", "95"]
    assert len(_ids(again)) == 25
    system.sink.got.clear()
    _round(client, again[-1].cursor, NOW_MS + DAY_MS + 1)  # once a day: whole
    assert len(system.asked()) == 11


def test_a_list_without_an_order_is_read_whole_when_it_is_due(fake: START, call: Any) -> None:
    system, client = _pair("broctagon", fake, call, clients_s=600)
    _fill("broctagon", system)
    cursor = _round(client, {})[-1].cursor
    system.sink.got.clear()
    assert _round(client, cursor, NOW_MS + 599_000)[-1].more is False
    assert system.asked("users") == []
    _round(client, cursor, NOW_MS + 600_000)
    assert len(system.asked("users")) == 3


def test_pages_smaller_than_asked_for_lose_nothing(fake: START, call: Any) -> None:
    system, client = _pair("track360", fake, call, page=500)  # it gives 100
    _fill("track360", system, 250)
    assert len(set(_ids(_round(client, {})))) == 500


def test_track360_exchanges_its_token_when_it_ends(fake: START, call: Any) -> None:
    system, client = _pair("track360", fake, call)
    _fill("track360", system)
    _round(client, {})
    assert system.tokens == ["token-0"]
    system.tokens.append("another's")  # revoked on their side
    _round(client, {})
    assert len(system.asked("/oauth/")) == 2
    _round(client, {}, NOW_MS + 3_600_000)
    assert len(system.asked("/oauth/")) == 3


def test_track360_asks_for_what_changed_where_the_api_can_tell(fake: START, call: Any) -> None:
    system, client = _pair("track360", fake, call, since_param="updated_since", lists="customers")
    _fill("track360", system)
    cursor = _round(client, {})[-1].cursor
    assert "updated_since" not in system.asked("customers")[0].path
    system.sink.got.clear()
    _round(client, cursor, NOW_MS + 60_000)
    assert fakes.query(system.asked("customers")[0])["updated_since"] == "2026-03-20T11:00:00Z"


def test_broctagons_older_signature() -> None:
    config = broctagon.Config.parse(
        {"url": "https://crm.example.com", "since": "2026-03-01", "signature": "v1"}, "k"
    )
    made = broctagon.client.signature(config, {"b": 2, "a": "x", "c": ""}, b"")
    assert made == "9CDD8E1262B32256C4AC1AD019521DEE5E2F0AD5"  # of a=x&b=2k


@pytest.mark.parametrize(
    ("name", "settings", "secret", "says"),
    [
        ("currentdesk", {"url": "https://x/api", "user": "u"}, "s", "setting since is missing"),
        ("currentdesk", {"url": "x", "user": "u", "since": "2026-01-01"}, "s", "is no address"),
        ("currentdesk", {"url": "https://x", "user": "u", "since": "1.1.26"}, "s", "is no day"),
        ("currentdesk", {"url": "https://x", "user": "u", "since": "2026-01-01"}, "", "password"),
        ("b2core", {"url": "https://x", "page": "0"}, "t", "is not from 1 to 1000"),
        ("b2core", {"url": "https://x", "lists": "clients,deals"}, "t", "'deals' is none of"),
        ("b2core", {"url": "https://x?y"}, "t", "holds more than host"),
        ("b2core", {"url": "https://x", "pages": "7"}, "t", "pages is no setting of b2core"),
        ("broctagon", {"url": "https://x", "since": "2026-01-01", "signature": "v9"}, "k", "v9"),
        ("track360", {"url": "https://x", "client_id": "a", "since_param": "a b"}, "k", "no name"),
    ],
)
def test_a_wrong_setting_is_named(
    name: str, settings: dict[str, Any], secret: str, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        CONFIGS[name].parse(settings, secret)


def test_nothing_is_asked_of_private_addresses_unless_opened(fake: START) -> None:
    from pipshare.pipeline.crm.calling import Caller

    system, client = _pair("b2core", fake, Caller())
    with pytest.raises(PipshareError, match="PIPSHARE_EGRESS_ALLOW") as caught:
        _round(client, {})
    assert caught.value.code == "crm_address"
    assert system.asked() == []
    closed = Caller(resolve=lambda host, port: ["169.254.169.254"])
    config = b2core.Config.parse({"url": "https://crm.example.com"}, "t")
    with pytest.raises(PipshareError, match="private, local or reserved"):
        _round(b2core.B2Core(config, closed), {})
