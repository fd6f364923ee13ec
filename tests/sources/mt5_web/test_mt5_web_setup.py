"""Clock, accounts, groups, symbols, rights and balance operations, over a scripted server."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mt5_web_talk import Talking
from scripted_tls import Asked, Broker, done, http

from pipshare.errors import BadInput
from pipshare.sources.mt5_web import GROUPS, SYMBOLS, USERS
from pipshare.sources.mt5_web.errors import Ambiguous, ClockWrong, Garbled, NotAllowed, Refused

BALANCE = "/api/trade/balance"
NOW = 1572518788


def test_the_clock_that_jumps_is_told_or_refused(talk: Talking) -> None:
    broker = Broker()
    one = talk(broker)
    for hours, offset in ((2, 7_200_000), (3, 10_800_000), (-12, -43_200_000), (14, 50_400_000)):
        broker.says["/api/time/server"] = done({"Time": f"{NOW + hours * 3600}"})
        assert one.web.server_time().offset_ms == offset
    for seconds, words in ((365 * 86_400, "8760 hours ahead of"), (-86_400, "24 hours behind")):
        broker.says["/api/time/server"] = done({"Time": str(NOW + seconds)})
        with pytest.raises(ClockWrong, match=f"{words} UTC, which no time zone is"):
            one.web.server_time()
    broker.says["/api/time/server"] = done({"Time": f"{NOW} 2019.10.31 10:46:29"})
    with pytest.raises(ClockWrong, match="two different times"):
        one.web.server_time()
    assert one.log == []


def test_an_answer_without_time(talk: Talking) -> None:
    for told in ({}, {"Time": ""}, {"Time": "soon"}, [], None):
        one = talk(Broker(says={"/api/time/server": done(told)}))
        with pytest.raises(Garbled, match="gave no time"):
            one.web.server_time()


def test_time_settings(talk: Talking) -> None:
    broker = Broker(says={"/api/time/get": done({"TimeZone": "120", "Daylight": "1"})})
    told = talk(broker).web.time_settings()
    assert (told.offset_min, told.daylight) == (120, True)
    broker.says["/api/time/get"] = done({"TimeZone": -300, "Daylight": 0})
    told = talk(broker).web.time_settings()
    assert (told.offset_min, told.daylight) == (-300, False)


def test_users_and_their_odd_values(talk: Talking) -> None:
    told = [
        {"Login": "1002", "Group": "real\\a", "Agent": "77", "Rights": "483", "Country": "PT",
         "Status": "RE", "Registration": "1572518788", "Name": "A. B.", "Email": "a@b"},
        {"Login": 1001, "Group": "real\\b", "Agent": "", "Rights": "x"},
        {"Login": "", "Group": "lost"}, 5,
    ]  # fmt: skip
    broker = Broker(says={"/api/user/get_batch": done(told), "/api/user/get": done(told[0])})
    web = talk(broker).web
    users = web.users("real*")
    assert dict(users.schema) == USERS
    assert users.rows() == [
        (1001, "real\\b", None, "", None, "", None, ""),
        (1002, "real\\a", 77, "RE", 483, "PT", 1572518788, ""),
    ]
    one = web.user(1002)
    assert one is not None
    assert one.rows() == users.rows()[1:]
    broker.says["/api/user/get"] = done(retcode="13 Not found")
    assert web.user(5) is None


def test_users_too_many_for_one_answer_come_by_login(talk: Talking) -> None:
    def batch(asked: Asked) -> bytes:
        listed = asked.params.get("login", "").split(",")
        return done([{"Login": n, "Group": "x" * 500} for n in listed if n] or ["x" * 200_000])

    logins = [str(n) for n in range(1, 21)]
    broker = Broker(says={"/api/user/get_batch": batch, "/api/user/logins": done(logins)})
    users = talk(broker, answer_limit=50_000).web.users("*")
    assert users["login"].to_list() == list(range(1, 21))


def test_logins_groups_and_symbols(talk: Talking) -> None:
    names = ["real\\b", "demo\\a"]
    symbols = [
        {"Symbol": "EURUSD.z", "Path": "Forex\\EURUSD.z", "Digits": "5", "ContractSize":
         "100000.00000000", "CurrencyBase": "EUR", "CurrencyProfit": "USD", "CurrencyMargin": "EUR",
         "CalcMode": "0"},
        {"Symbol": "ODD", "ContractSize": "none"}, {"Path": "x"},
    ]  # fmt: skip

    def following(asked: Asked) -> bytes:
        name = names[int(asked.params["index"])]
        return done({"Group": name, "Currency": "USD", "CurrencyDigits": "2", "MarginMode": "2",
                     "Company": "Demo"})  # fmt: skip

    web = talk(Broker(says={
        "/api/user/logins": done(["7", 5, "x", "7"]), "/api/group/total": done({"total": "2"}),
        "/api/group/next": following, "/api/symbol/get": done(symbols),
    })).web  # fmt: skip
    assert web.logins("*") == [5, 7]
    groups = web.groups()
    assert dict(groups.schema) == GROUPS
    assert groups.rows() == [("demo\\a", "USD", 2, 2, "Demo"), ("real\\b", "USD", 2, 2, "Demo")]
    told = web.symbols()
    assert dict(told.schema) == SYMBOLS
    assert told["symbol"].to_list() == ["EURUSD.z", "ODD"]
    assert told["contract_e8"].to_list() == [10_000_000_000_000, None]


def test_rights_are_found_out_by_trying(talk: Talking) -> None:
    some = {path: done({"total": "3"}) for path in
            ("/api/group/total", "/api/deal/get_total", "/api/history/get_total")}  # fmt: skip
    broker = Broker(says={
        **some, "/api/time/server": done({"Time": str(NOW)}), "/api/symbol/list": done(["EURUSD"]),
        "/api/user/logins": done(["5"]), "/api/user/get": done({"Login": "5", "Country": "PT"}),
        "/api/user/account/get": done({"Login": "5"}),
        "/api/position/get_total": done({"total": "0"}),
    })  # fmt: skip
    web = talk(broker).web
    told = web.access()
    assert told.version == "1290"
    assert told.missing() == []
    broker.says |= {
        "/api/deal/get_total": done(retcode="8 Not enough permissions"),
        "/api/user/get": done({"Login": "5", "Country": ""}),
        "/api/symbol/list": done([]),
    }
    sentences = web.access().missing()
    assert len(sentences) == 3
    assert "no symbols are visible to manager 1000" in sentences[0]
    assert "Access to personal data" in sentences[1]
    assert "deals cannot be read: grant manager 1000 the right 'Access to trade o" in sentences[2]
    broker.says["/api/user/logins"] = done([])
    told = web.access()
    assert "no account in groups * is visible" in told.tried["users"]
    assert "because no account is visible" in told.tried["deals"]


def test_a_balance_operation_is_sent_once(talk: Talking) -> None:
    broker = Broker(says={BALANCE: done({"Ticket": "4611686018427387905"})})
    web = talk(broker).web
    assert web.balance(5, 2, Decimal("10.50"), "pip:a1") == 4611686018427387905
    sent = next(asked for asked in broker.asked if asked.path == BALANCE)
    assert sent.params == {"login": "5", "type": "2", "balance": "10.50", "comment": "pip:a1",
                           "check_margin": "1"}  # fmt: skip
    broker.says[BALANCE] = done(retcode="10019 Not enough money")
    with pytest.raises(Refused, match="10019") as found:
        web.balance(5, 2, Decimal("-1E+5"), "pip:a2")
    assert found.value.retcode == 10019
    assert broker.asked[-1].params["balance"] == "-100000"
    broker.says[BALANCE] = done(retcode="8 No permissions")
    with pytest.raises(NotAllowed):
        web.balance(5, 2, Decimal(1), "pip:a3")


@pytest.mark.parametrize(
    "answer",
    [
        None, http(""), http("<html>"), http('{"retcode":"0 Done","answer":{"Tick'), done({}),
        done(retcode="9 Timeout"), done(retcode="7 Network"), http("no", "502 Bad Gateway"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nX-Then: close\r\n\r\n{",
    ],
)  # fmt: skip
def test_a_lost_answer_to_a_balance_operation_is_ambiguous(
    talk: Talking, answer: bytes | None
) -> None:
    broker = Broker(says={BALANCE: answer})
    with pytest.raises(Ambiguous, match=r"may or may not|gave no ticket|accepted, but") as found:
        talk(broker).web.balance(5, 2, Decimal(1), "pip:a1")
    assert not found.value.retryable
    assert broker.count(BALANCE) == 1


def test_a_dead_session_is_noticed_before_money_is_sent(talk: Talking) -> None:
    broker = Broker(says={BALANCE: done({"Ticket": "7"})})
    one = talk(broker)
    one.web.open()
    one.server.drop()
    assert one.web.balance(5, 2, Decimal(1), "pip:a1") == 7
    forbidden = http("", "403 Forbidden")
    broker.says[BALANCE] = lambda asked: forbidden if asked.connection == 2 else done({"Ticket": 8})
    assert one.web.balance(5, 2, Decimal(1), "pip:a2") == 8


@pytest.mark.parametrize(
    ("type_", "amount", "comment"),
    [
        (1, "1", "x"), (7, "1", "x"), (2, "0", "x"), (2, "NaN", "x"), (2, "1000000001", "x"),
        (2, "1", ""), (2, "1", "x" * 32), (2, "1", "é" * 16),
    ],
)  # fmt: skip
def test_what_the_server_would_refuse_or_cut_is_not_sent(
    talk: Talking, type_: int, amount: str, comment: str
) -> None:
    broker = Broker()
    with pytest.raises(BadInput):
        talk(broker).web.balance(5, type_, Decimal(amount), comment)
    assert not broker.asked


def test_idle_sessions_are_pinged_and_dead_ones_dropped(
    talk: Talking, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipshare.sources.mt5_web import sessions

    broker = Broker(says={"/api/user/logins": done(["5"])})
    one = talk(broker)
    one.web.open()
    one.web.ping_if_due()
    assert not broker.count("/api/test/access")
    monkeypatch.setattr(sessions, "PING_S", 0)
    one.web.ping_if_due()
    assert broker.count("/api/test/access") == 1
    one.server.drop()
    one.web.ping_if_due()
    assert (one.log, one.web.logins("*")) == ([], [5])
    monkeypatch.setattr(sessions, "STALE_S", 0)
    assert one.web.logins("*") == [5]
    assert one.server.connections == 3
