"""The connector against the sandbox server, live: the two share no code."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import polars as pl
import pytest

from pipshare.errors import Unavailable
from pipshare.sandbox.mt5 import Mt5Server
from pipshare.sandbox.mt5.world import Size, World
from pipshare.sources.mt5_web import Config, Mt5Web
from pipshare.sources.mt5_web.errors import Refused, WrongCertificate, WrongPassword

BATCH = "/api/deal/get_batch"
PASSWORD = "Password1"


@pytest.fixture(scope="module")
def server() -> Iterator[Mt5Server]:
    now_ms = time.time_ns() // 1_000_000  # the world stands still: three reads see the same
    world = World(11, Size(logins=80, rate=0.2, history_days=2), clock=lambda: now_ms)
    with Mt5Server(world, password=PASSWORD) as running:
        yield running


@contextmanager
def _web(server: Mt5Server, password: str = PASSWORD, **settings: str) -> Iterator[Mt5Web]:
    given = {"url": server.url, "login": "1000", "fingerprint": server.fingerprint} | settings
    web = Mt5Web(Config.parse(given, password), log=lambda line: None)
    try:
        yield web
    finally:
        web.close()
        server.faults.clear()


def _history(web: Mt5Web) -> tuple[int, int]:
    now = web.server_time().server_ms // 1000
    return now - 3 * 86_400, now + 3600


def test_all_deals_of_the_history_by_three_ways(server: Mt5Server) -> None:
    with _web(server) as web:
        start, end = _history(web)
        answers = list(web.deals("*", start, end))
        frames = pl.concat([one.deals for one in answers])
        assert not [fault for one in answers for fault in one.refused]
        assert len(frames) > 200
        assert frames["deal"].is_unique().all()
        logins = web.logins("*")
        assert set(frames["login"]) <= set(logins)
        by_login = [d for one in web.deals_of(logins, start, end) for d in one.deals["deal"]]
        assert sorted(by_login) == sorted(frames["deal"])
        login = frames["login"].mode()[0]
        mine = frames.filter(pl.col("login") == login)
        pages = [d for one in web.deal_pages(login, start, end) for d in one.deals["deal"]]
        assert sorted(pages) == sorted(mine["deal"])
        assert web.deal_total(login, start, end) == len(mine)
        one = web.deal(mine["deal"][0])
        assert one is not None
        assert one.rows() == mine.head(1).rows()
        assert web.deal(10**17) is None


def test_a_group_mask_with_a_negation(server: Mt5Server) -> None:
    with _web(server) as web:
        start, end = _history(web)
        groups = dict(web.users("*").select("login", "group").iter_rows())
        told = [login for one in web.deals(r"real\*,!real\cent", start, end)
                for login in one.deals["login"]]  # fmt: skip
        assert told
        assert {groups[login].split("\\")[0] for login in told} == {"real"}
        assert "real\\cent" not in {groups[login] for login in told}


def test_set_up_data_and_rights(server: Mt5Server) -> None:
    with _web(server) as web:
        assert web.access().missing() == []
        assert "USC" in web.groups()["currency"].to_list()
        symbols = web.symbols()
        assert symbols["contract_e8"].null_count() == 0
        offset = web.server_time().offset_ms
        assert abs(offset - web.time_settings().offset_min * 60_000) <= 3_605_000


def test_a_balance_operation_comes_back_as_a_deal(server: Mt5Server) -> None:
    with _web(server) as web:
        login = web.logins("*")[0]
        ticket = web.balance(login, 2, Decimal("12.34"), "pip:live")
        (answer,) = web.deals_by_ticket([ticket])
        assert answer.deals.select("deal", "login", "action", "profit_e8").rows() == [
            (ticket, login, 2, 1_234_000_000)
        ]
        assert answer.remarks["comment"].to_list() == ["pip:live"]
        with pytest.raises(Refused, match="10019"):
            web.balance(login, 2, Decimal("-999999999"), "pip:much")


def test_wrong_password_and_wrong_certificate(server: Mt5Server) -> None:
    with _web(server, "Another1") as web, pytest.raises(WrongPassword):
        web.open()
    with _web(server, fingerprint="ab" * 32) as web, pytest.raises(WrongCertificate):
        web.open()


@pytest.mark.parametrize("kind", ["drop", "403", "half", "truncated", "html", "numbers"])
def test_whatever_goes_wrong_the_next_poll_has_it_all(server: Mt5Server, kind: str) -> None:
    with _web(server) as web:
        start, end = _history(web)
        end -= 7200
        want = sorted(d for one in web.deals("*", start, end) for d in one.deals["deal"])
        server.faults.add(kind, path=BATCH, times=2)
        got: list[int] = []
        for _ in range(4):
            web._outage._not_before = 0  # as if the pause were over
            try:
                got = [d for one in web.deals("*", start, end) for d in one.deals["deal"]]
                break
            except Unavailable:
                continue
        assert sorted(got) == want
