"""The REST API with a machine's eyes: keys, pushing, reading, problems, idempotency."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.small_broker import LOADS, SmallBroker

from pipshare import db, ledger
from pipshare.people.keys import SCOPES, add_key, revoke_key

TRADE = {
    "ticket": "1", "login": "1001", "symbol": "EURUSD", "side": "buy", "lots": "0.10",
    "open_time": "2026-03-02 10:00:00", "close_time": "2026-03-02 11:00:00",
    "open_price": "1.10000", "close_price": 1.10100, "profit": "10.00",
}  # fmt: skip


@pytest.fixture(scope="module")
def small(site: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBroker]:
    """The small broker; trades of Live-4 are pushed, those of Live-5 come from files."""
    from pipshare.api.pushing import close

    servers = LOADS["servers"].replace("go_live\n", "go_live,authority\n")
    servers = servers.replace("Z\n", "Z,api\n", 1).replace("Z\n", "Z,files\n", 1)
    with pytest.MonkeyPatch.context() as patch, db.connect() as conn:
        patch.setitem(LOADS, "servers", servers)
        yield SmallBroker(conn, tmp_path_factory.mktemp("broker"))
    close()


Call = Callable[..., Any]


def key(*scopes: str, **bound: str) -> str:
    """Make a key and return it."""
    key.count = getattr(key, "count", 0) + 1  # type: ignore[attr-defined]
    with db.transaction() as conn:
        return add_key(conn, f"key {key.count}", scopes, by="tests", **bound)  # type: ignore[attr-defined]


@pytest.fixture
def call(small: SmallBroker, client: Callable[..., Any]) -> Call:
    """Call the API with a key: call("GET", "/v1/trades", key)."""

    def make(method: str, path: str, secret: str, body: Any = None, **options: Any) -> Any:
        kind = options.pop("content_type", "application/json")
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {secret}", **options.pop("headers", {})}
        return client().generic(method, path, b"" if body is None else data, kind,
                                headers=headers, query_params=options)  # fmt: skip

    return make


@pytest.fixture
def pusher() -> str:
    return key("trades:write", server="Live-4", provenance="operator")


@pytest.fixture
def reader() -> str:
    return key(*(scope for scope in SCOPES if scope != "trades:write"))


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = response.json()
    assert (told["status"], told["code"]) == (status, code)
    assert told["type"].endswith(code)
    assert told["detail"]
    return told


def test_a_pushed_trade_is_booked_and_can_be_read_and_explained(
    call: Call, pusher: str, reader: str, small: SmallBroker
) -> None:
    before = small.totals().get("P-2", 0)
    pushed = call("POST", "/v1/trades", pusher, TRADE).json()
    assert (pushed["books"], pushed["taken"], pushed["refused"]) == (True, 1, 0)
    assert pushed["results"] == [{"record": 1, "ticket": "1", "verdict": "new", "reason": ""}]
    again = call("POST", "/v1/trades", pusher, TRADE).json()
    assert again["results"][0]["verdict"] == "repeated"
    assert small.totals()["P-2"] - before == 5 * 10**7
    (found,) = call("GET", "/v1/trades", reader, ticket=1).json()["trades"]
    assert (found["server"], found["lots"], found["standing"]) == ("Live-4", "0.10", "introduced")
    assert found["earned"] == {"USD": "0.60"}
    one = call("GET", "/v1/trades/Live-4/1", reader).json()
    assert one["revisions"][0]["close_price"] == "1.101"
    why = call("GET", "/v1/trades/Live-4/1/explanation", reader).json()
    assert [(line["partner"], line["amount"]) for line in why["lines"]] == [
        ("P-2", "0.50"), ("P-1", "0.10")]  # fmt: skip
    assert why["agrees"] is True
    earned = call("GET", "/v1/partners/P-2/statements/2026-03", reader).json()
    assert [line["amount"] for line in earned["lines"] if line["ticket"] == 1] == ["0.50"]
    everyone = call("GET", "/v1/partners", reader).json()["partners"]
    assert [(one["partner"], one["parent"]) for one in everyone] == [("P-1", None), ("P-2", "P-1")]


def test_good_records_are_kept_beside_bad_ones(call: Call, pusher: str, small: SmallBroker) -> None:
    before = small.totals().get("P-1", 0)
    lines = [
        json.dumps(TRADE | {"ticket": 20}), "{broken", json.dumps(TRADE | {"ticket": "21",
        "lots": "-1"}), json.dumps(TRADE | {"ticket": "22", "lots": "0.2"}), "[]", "",
    ]  # fmt: skip
    told = call("POST", "/v1/trades", pusher, "\n".join(lines).encode(),
                content_type="application/x-ndjson").json()  # fmt: skip
    assert [(one["record"], one["verdict"]) for one in told["results"]] == [
        (1, "new"), (2, "refused"), (3, "refused"), (4, "new"), (5, "refused")]  # fmt: skip
    reasons = [one["reason"] for one in told["results"] if one["verdict"] == "refused"]
    assert "not valid JSON" in reasons[0]
    assert "lots" in reasons[1]
    assert small.totals()["P-1"] - before == 3 * 10**7
    assert ledger.verify(small.conn)[0] == []


def test_one_bad_trade_is_a_problem_that_names_the_field(call: Call, pusher: str) -> None:
    told = problem(call("POST", "/v1/trades", pusher, TRADE | {"lots": "1,000.50"}), 422, "refused")
    assert "lots" in told["detail"]
    unknown = call("POST", "/v1/trades", pusher, TRADE | {"lot": "1"})
    assert "did you mean lots" in problem(unknown, 400, "unknown_column")["detail"]
    less = {name: value for name, value in TRADE.items() if name != "symbol"}
    assert (
        "symbol"
        in problem(call("POST", "/v1/trades", pusher, less), 400, "missing_column")["detail"]
    )
    problem(call("POST", "/v1/trades", pusher, b"{"), 400, "bad_json")
    problem(call("POST", "/v1/trades", pusher, []), 400, "empty")
    problem(
        call("POST", "/v1/trades", pusher, b"a,b", content_type="text/csv"), 415, "content_type"
    )


def test_a_ticket_beyond_what_floats_hold_keeps_its_digits(
    call: Call, pusher: str, reader: str
) -> None:
    big = 2**53 + 1
    body = json.dumps(TRADE | {"ticket": big}).encode()
    assert call("POST", "/v1/trades", pusher, body).json()["results"][0]["ticket"] == str(big)
    (found,) = call("GET", "/v1/trades", reader, ticket=big).json()["trades"]
    assert found["ticket"] == str(big)
    too_big = call("POST", "/v1/trades", pusher, TRADE | {"ticket": str(2**63)})
    assert "ticket" in problem(too_big, 422, "refused")["detail"]


def test_an_idempotency_key_gets_the_first_answer_again(
    call: Call, pusher: str, small: SmallBroker
) -> None:
    headers = {"Idempotency-Key": "order 7"}
    trade = TRADE | {"ticket": "70"}
    first = call("POST", "/v1/trades", pusher, trade, headers=headers)
    again = call("POST", "/v1/trades", pusher, trade, headers=headers)
    assert first.json()["results"][0]["verdict"] == "new"
    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    other = call("POST", "/v1/trades", pusher, trade | {"lots": "9"}, headers=headers)
    problem(other, 422, "key_reused")
    mine = key("trades:write", server="Live-4", provenance="operator")
    assert call("POST", "/v1/trades", mine, trade, headers=headers).json()["results"][0][
        "verdict"] == "repeated"  # fmt: skip
    problem(call("POST", "/v1/trades", pusher, trade, headers={"Idempotency-Key": "x" * 201}),
            400, "bad_key")  # fmt: skip
    refused = trade | {"ticket": "71", "lots": "0"}
    headers = {"Idempotency-Key": "order 8"}
    first = call("POST", "/v1/trades", pusher, refused, headers=headers)
    again = call("POST", "/v1/trades", pusher, refused, headers=headers)
    assert problem(again, 422, "refused") == problem(first, 422, "refused")


@pytest.mark.parametrize(
    ("server", "provenance"), [("Live-4", "client"), ("Live-5", "operator"), ("Live-5", "client")]
)
def test_where_the_source_is_not_authoritative_trades_are_compared(
    call: Call, small: SmallBroker, server: str, provenance: str
) -> None:
    secret = key("trades:write", server=server, provenance=provenance)
    before = small.count("trades_trade"), small.count("ledger_leg")
    told = call("POST", "/v1/trades", secret, TRADE | {"ticket": "555"}).json()
    assert (told["books"], told["results"][0]["verdict"]) == (False, "missing")
    assert (small.count("trades_trade"), small.count("ledger_leg")) == before


def test_a_key_does_what_its_scopes_say(call: Call, client: Any, pusher: str, reader: str) -> None:
    problem(call("GET", "/v1/trades", pusher), 403, "no_scope")
    problem(call("POST", "/v1/trades", reader, TRADE), 403, "no_scope")
    problem(call("GET", "/v1/trades", "pips_nonsense"), 401, "no_key")
    deleted = call("DELETE", "/v1/trades", reader)
    assert "not DELETE" in problem(deleted, 405, "no_method")["detail"]
    assert "POST" in deleted["Allow"]
    problem(call("GET", "/v1/nothing", reader), 404, "no_address")
    bare = client().get("/v1/trades")
    assert problem(bare, 401, "no_key")
    assert bare["WWW-Authenticate"].startswith("Bearer")
    signed_in = client("admin").get("/v1/trades")
    problem(signed_in, 401, "no_key")  # a session is no key
    with db.transaction() as conn:
        add_key(conn, "short lived", ["trades:read"], by="tests")
        secret = add_key(conn, "shorter", ["trades:read"], by="tests")
        revoke_key(conn, "shorter", by="tests")
    problem(call("GET", "/v1/trades", secret), 401, "no_key")


def test_a_partners_key_sees_his_subtree_only(call: Call, pusher: str) -> None:
    call("POST", "/v1/trades", pusher, TRADE | {"ticket": "90"})
    scopes = ("trades:read", "partners:read", "statements:read")
    above, below = key(*scopes, partner="P-1"), key(*scopes, partner="P-2")
    gone = key(*scopes, partner="P-9")
    names = [
        [one["partner"] for one in call("GET", "/v1/partners", secret).json()["partners"]]
        for secret in (above, below, gone)
    ]
    assert names == [["P-1", "P-2"], ["P-2"], []]
    (mine,) = call("GET", "/v1/trades", below, ticket=90).json()["trades"]
    assert mine["earned"] == {"USD": "0.50"}
    assert call("GET", "/v1/trades", gone, ticket=90).json()["trades"] == []
    problem(call("GET", "/v1/trades/Live-4/90", gone), 404, "no_trade")
    problem(call("GET", "/v1/partners/P-1/statements/2026-03", below), 404, "no_partner")
    assert call("GET", "/v1/partners/P-2/statements/2026-03", above).status_code == 200


def test_pages_go_on_where_the_last_one_ended(call: Call, pusher: str, reader: str) -> None:
    lines = [
        json.dumps(TRADE | {"ticket": str(n), "close_time": f"2026-03-03 11:{n - 800:02}:00"})
        for n in range(800, 825)
    ]
    call("POST", "/v1/trades", pusher, "\n".join(lines).encode(),
         content_type="application/x-ndjson")  # fmt: skip
    seen: list[str] = []
    after = ""
    while True:
        page = call("GET", "/v1/trades", reader, limit=10, after=after,
                    closed_from="2026-03-03T00:00:00Z").json()  # fmt: skip
        seen += [one["ticket"] for one in page["trades"]]
        after = page["next"]
        if after is None:
            break
    assert seen == [str(n) for n in range(824, 799, -1)]
    problem(call("GET", "/v1/trades", reader, after="!!"), 422, "bad_parameter")
    problem(call("GET", "/v1/trades", reader, limit=0), 422, "bad_parameter")
    problem(call("GET", "/v1/trades", reader, limit="many"), 422, "bad_parameter")
    problem(call("GET", "/v1/trades", reader, standing="odd"), 422, "bad_parameter")
    problem(call("GET", "/v1/trades", reader, server="Nowhere"), 404, "unknown_server")


def test_the_description_names_every_operation(client: Any, tmp_path: Path) -> None:
    assert client().get("/api/openapi.json").status_code == 302
    told = client("metatrader").get("/api/openapi.json").json()
    operations = {(path, method) for path, found in told["paths"].items() for method in found}
    assert ("/v1/trades", "post") in operations
    assert ("/v1/trades/{server}/{ticket}/explanation", "get") in operations
    sent = told["paths"]["/v1/trades"]["post"]["requestBody"]["content"]["application/json"]
    assert "lots" in sent["schema"]["oneOf"][0]["required"]


def test_the_documentation_page_works_in_a_browser(open_page: Any, small: SmallBroker) -> None:
    page = open_page("/api/docs", role="metatrader")
    page.wait_for_selector("text=Push closed trades")
    open_page.shoot(page, "api-docs")
