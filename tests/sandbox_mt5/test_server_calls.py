"""Every call that the issue names, by GET and by POST, in the documented forms."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from web_api import NOW, Client, Got, signed_in

from pipshare.sandbox.mt5 import Manager
from pipshare.sandbox.mt5.routes import CALLS
from pipshare.sandbox.mt5.world import World

EVER = {"from": 0, "to": 2**40}


def _records(found: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(one) for one in found]


def _deals(world: World, logins: list[int] | None = None) -> list[dict[str, Any]]:
    return _records(world.deals(logins=logins, tickets=None, from_s=0, to_s=2**40, symbol=None))


def _busy(world: World) -> int:
    """The login with the most deals."""
    logins = [int(deal["Login"]) for deal in _deals(world)]
    return max(set(logins), key=logins.count)


def _texts(value: Any) -> bool:
    """Whether every value is text, as the real server writes all of them."""
    if isinstance(value, dict):
        return all(map(_texts, value.values()))
    if isinstance(value, list):
        return all(map(_texts, value))
    return isinstance(value, str)


def _given(world: World) -> dict[str, dict[str, Any]]:
    """For every call, parameters that find something."""
    login = _busy(world)
    deal = _deals(world)[0]["Deal"]
    group = _records(world.groups())[0]["Group"]
    symbol = _records(world.symbols())[0]["Symbol"]
    known: dict[str, dict[str, Any]] = {
        "/api/deal/get": {"ticket": deal},
        "/api/user/logins": {"group": "*"},
        "/api/user/get": {"login": login},
        "/api/user/get_batch": {"login": login},
        "/api/user/account/get": {"login": login},
        "/api/user/account/get_batch": {"group": "*"},
        "/api/symbol/get": {"symbol": symbol},
        "/api/symbol/get_group": {"symbol": symbol, "group": group},
        "/api/symbol/next": {"index": 0},
        "/api/group/next": {"index": 0},
        "/api/group/get": {"group": group},
        "/api/trade/balance": {"login": login, "type": 2, "balance": "1.00", "comment": "x"},
    }
    for family in ("deal", "history", "order", "position"):
        times = EVER if family in ("deal", "history") else {}
        known |= {
            f"/api/{family}/get_total": {"login": login, **times},
            f"/api/{family}/get_page": {"login": login, "offset": 0, "total": 5, **times},
            f"/api/{family}/get_batch": {"group": "*", **times},
        }
    for family, records in (("order", world.orders(None)), ("history", _history(world))):
        if records:
            known[f"/api/{family}/get"] = {"ticket": json.loads(records[0])["Order"]}
    if held := _records(world.positions(None)):
        known["/api/position/get"] = {k: held[0][n] for k, n in (("login", "Login"),
                                                                 ("symbol", "Symbol"))}  # fmt: skip
    return known


def _history(world: World) -> list[bytes]:
    return world.history(None, 0, 2**40)


def test_every_call_by_get_and_by_post(client: Client, world: World) -> None:
    given = _given(world)
    for path in CALLS:
        asked = given.get(path, {})
        got = client.get(path, **asked)
        if path.endswith("/get") and path not in given and got.code in (3, 13):
            continue  # this world has no such record
        assert got.code == 0, (path, got.body)
        assert _texts(got.json), path
        assert list(got.json) == ["retcode", "answer"], path
        form = "&".join(f"{name}={value}" for name, value in asked.items())
        for body in (form, json.dumps(asked)):
            posted = client.post(path, body)
            assert posted.code == 0, (path, body, posted.body)
            assert type(posted.answer) is type(got.answer), path
            if path != "/api/trade/balance":
                assert posted.answer == got.answer, path


def test_deals_come_whole(client: Client, world: World) -> None:
    everything = _deals(world)
    assert len(everything) > 20
    assert client.get("/api/deal/get_batch", group="*", **EVER).answer == everything
    one = everything[7]
    assert client.get("/api/deal/get", ticket=one["Deal"]).answer == one
    assert client.get("/api/deal/get", ticket=1).code == 13
    tickets = [deal["Deal"] for deal in everything[:3]]
    expected = everything[:3]
    for got in (
        client.get("/api/deal/get_batch", ticket=",".join(tickets)),
        client.post("/api/deal/get_batch", json.dumps({"ticket": [int(t) for t in tickets]})),
        client.get("/api/deal/get_batch", ticket=",".join([*tickets, "1"])),
    ):
        assert got.answer == expected


def test_the_window_is_inclusive_on_both_ends(client: Client, world: World) -> None:
    one = _deals(world)[5]
    second = int(one["Time"])
    window = {"login": one["Login"], "from": second, "to": second}
    assert one in client.get("/api/deal/get_batch", **window).answer
    later = window | {"from": second + 1, "to": second + 1}
    assert one not in client.get("/api/deal/get_batch", **later).answer


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"login": "1", "group": "*"},
        {"login": "1", "ticket": "1"},
        {"group": "*", "ticket": "1"},
        {"login": "1", "group": "*", "ticket": "1"},
        {"login": "one"},
        {"login": "1", "from": "yesterday"},
        {"login": "1", "from": ""},
    ],
)
def test_exactly_one_of_login_group_ticket(client: Client, given: dict[str, str]) -> None:
    assert client.get("/api/deal/get_batch", **(EVER | given)).code == 3


def test_the_window_is_required_except_with_tickets(client: Client, world: World) -> None:
    assert client.get("/api/deal/get_batch", group="*").code == 3
    assert client.get("/api/deal/get_batch", group="*", to=5).code == 3
    deal = _deals(world)[0]["Deal"]
    assert client.get("/api/deal/get_batch", ticket=deal).answer[0]["Deal"] == deal


def test_pages_of_a_hundred(serve, world: World) -> None:
    """A login with more deals than a page: offsets, the limit of 100, and the short last page."""

    class Long:
        """The world, with one login's 250 deals."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world, name)

        def deals(self, **_: Any) -> list[bytes]:
            return [b'{"Deal":"%d","Symbol":"EURUSD"}' % n for n in range(250)]

    client = signed_in(serve(world=Long()))
    given = {"login": _busy(world), **EVER}
    assert client.get("/api/deal/get_total", **given).answer == {"total": "250"}

    def page(**asked: int) -> list[int]:
        return [int(d["Deal"]) for d in client.get("/api/deal/get_page", **given, **asked).answer]

    assert page(offset=0, total=3) == [0, 1, 2]
    assert page(offset=100, total=5000) == list(range(100, 200))
    assert page(offset=200) == list(range(200, 250))
    assert page(offset=250, total=100) == []
    assert client.get("/api/deal/get_page", **given, offset=-1).code == 3
    assert client.get("/api/deal/get_page", **(given | {"login": 5})).code == 13


def test_symbols_narrow_a_batch(client: Client, world: World) -> None:
    deals = [deal for deal in _deals(world) if deal["Symbol"]]
    names = sorted({deal["Symbol"] for deal in deals})[:2]
    got = client.get("/api/deal/get_batch", group="*", symbol=",".join(names), **EVER).answer
    assert got == [deal for deal in deals if deal["Symbol"] in names]


def test_group_masks(client: Client, world: World) -> None:
    users = [client.get("/api/user/get", login=n).answer for n in world.logins("*")]
    for mask, fits in (
        ("*", lambda group: True),
        ("real*", lambda group: group.startswith("real")),
        ("real*,!real\\standard", lambda g: g.startswith("real") and g != "real\\standard"),
        ("demo\\forex,real\\standard", lambda g: g in ("demo\\forex", "real\\standard")),
    ):
        expected = {user["Login"] for user in users if fits(user["Group"])}
        assert set(client.get("/api/user/logins", group=mask).answer) == expected, mask
        batch = client.get("/api/user/get_batch", group=mask).answer
        assert {user["Login"] for user in batch} == expected
    assert client.get("/api/user/logins").code == 3
    assert client.get("/api/user/get", login=1).code == 13


def test_groups_by_index_and_name(client: Client) -> None:
    count = int(client.get("/api/group/total").answer["total"])
    each = [client.get("/api/group/next", index=n).answer for n in range(count)]
    assert client.get("/api/group/next", index=0, count=count).answer == each
    assert client.get("/api/group/next", index=count).code == 13
    assert client.get("/api/group/get", group=each[1]["Group"]).answer == each[1]
    assert client.get("/api/group/get", group="*").answer == each
    assert client.get("/api/group/get", group="real\\nobody").code == 13


def test_symbols_by_name_and_mask(client: Client) -> None:
    names = client.get("/api/symbol/list").answer
    assert str(len(names)) == client.get("/api/symbol/total").answer["total"]
    one = client.get("/api/symbol/get", symbol=names[0]).answer
    assert one["Symbol"] == names[0]
    assert client.get("/api/symbol/get", mask=names[0]).answer == [one]  # always a list
    assert len(client.get("/api/symbol/get", mask="*").answer) == len(names)
    assert client.get("/api/symbol/get", mask=f"*,!{names[0]}").answer == [
        client.get("/api/symbol/get", symbol=name).answer for name in names[1:]
    ]
    assert client.get("/api/symbol/get", symbol="NOTHING").code == 13
    assert client.get("/api/symbol/get_group", symbol=names[0], group="none").code == 13


def test_the_clock_is_the_servers_wall_clock(client: Client, world: World) -> None:
    got = client.get("/api/time/server").answer["Time"]
    assert got == "1795007200 2026.11.18 13:06:40"  # 11:06:40 UTC is 06:06:40 in New York
    assert world.server_ms(NOW) == 1_795_007_200_000
    assert client.get("/api/common/get").answer["TradeServerTimeMSec"] == "1795007200000"
    assert client.get("/api/time/get").answer["Daylight"] == "1"


def _balance(client: Client, account: int, **given: Any) -> Got:
    asked = {"login": account, "type": 2, "balance": "10.00", "comment": "IB payout"} | given
    return client.get("/api/trade/balance", **asked)


def test_balance_really_credits(client: Client, world: World) -> None:
    login = world.logins("real\\standard")[0]
    before = Decimal(client.get("/api/user/get", login=login).answer["Balance"])
    got = _balance(client, login, comment="RB-000123 " + "x" * 40)
    deal = client.get("/api/deal/get", ticket=got.answer["Ticket"]).answer
    assert (deal["Action"], deal["Login"], deal["Profit"]) == ("2", str(login), "10.00")
    assert deal["Comment"] == "RB-000123 " + "x" * 21  # 31 characters, silently
    after = Decimal(client.get("/api/user/get", login=login).answer["Balance"])
    assert after - before == 10
    assert deal in client.get("/api/deal/get_batch", login=login, **EVER).answer
    assert _balance(client, login, balance="-10.00").code == 0


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"type": 1}, 3),
        ({"type": 7}, 3),
        ({"balance": "ten"}, 3),
        ({"balance": "NaN"}, 3),
        ({"balance": "1000000000.01"}, 4005),
        ({"balance": "-900000000"}, 10019),
        ({"login": 1}, 13),
    ],
)
def test_what_balance_refuses(client: Client, world: World, given: dict, code: int) -> None:
    assert _balance(client, world.logins("real\\standard")[0], **given).code == code


def test_rights(serve, world: World) -> None:
    server = serve(managers=[Manager(2000, "Other-2", frozenset({"trades", "accounts"}))])
    payer, reader = signed_in(server), signed_in(server, 2000, "Other-2")
    login = world.logins("real*")[0]
    assert _balance(reader, login).code == 8
    assert payer.get("/api/user/get", login=login).answer["Name"] != ""
    assert reader.get("/api/user/get", login=login).answer["Name"] == ""  # no personal data
    assert {u["Name"] for u in reader.get("/api/user/get_batch", group="*").answer} == {""}
    server.manager(2000).rights = frozenset()
    for path in ("/api/deal/get", "/api/position/get_total", "/api/user/logins"):
        assert reader.get(path).code == 8
    assert reader.get("/api/symbol/list").code == 0


def test_what_does_not_exist(client: Client) -> None:
    assert client.get("/api/deal/give").status == 404
    assert client.get("/").status == 404
    assert client.send("DELETE", "/api/deal/get?ticket=1").status == 405
    assert client.gone()


def test_requests_in_any_lawful_form(client: Client) -> None:
    assert client.get("//api/test/access").code == 0  # as one documented example has it
    chunked = [b'{"group":', b'["*"]}']
    client.connection.request(
        "POST", "/api/user/logins", iter(chunked), encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )  # fmt: skip
    answer = client.connection.getresponse()
    assert json.loads(answer.read())["retcode"] == "0 Done"
    assert client.post("/api/user/logins", "{broken").code == 3
    assert client.post("/api/user/logins", b"\xff\xfe").code == 3
    assert client.get("/api/user/logins", group="*").code == 0


def test_answers_say_so_exactly(client: Client) -> None:
    got = client.get("/api/deal/get", ticket=1)
    assert got.body == b'{"retcode":"13 Not found"}'
    assert got.headers["Connection"] == "keep-alive"
    assert int(got.headers["Content-Length"]) == len(got.body)
    assert re.match(rb'^{"retcode":"0 Done","answer":\[', client.get("/api/symbol/list").body)
