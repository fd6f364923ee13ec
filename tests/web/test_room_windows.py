"""The page of a trade's explanation where pay builds up: tiers, sums, rebates; who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker, manager, manager_row
from tests.web.test_api import call, key

from pipshare import db
from pipshare.console.windows import parts_shown
from pipshare.pipeline import Run
from pipshare.pipeline.explain import explain
from pipshare.pipeline.loads import apply_plan

__all__ = ["call"]  # a fixture
PLAN = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "difference"
basis = "lot"
mode = "difference"
[component.rebate]
share = "20%"
[[component.rate]]
level = 1
amount = "10"
[[component.rate]]
level = 2
amount = "14"

[[component]]
code = "tiered"
basis = "lot"
mode = "per_level"
[component.tier]
measure = "lots"
window = "month"
method = "retroactive"
[[component.rate]]
level = 1
amount = "3"
[[component.rate]]
level = 1
from = "2"
amount = "5"

[[component]]
code = "revshare"
basis = "result"
mode = "per_level"
per = "month"
[component.carry]
negative = "carry"
[[component.rate]]
level = 2
share = "30%"
"""


@pytest.fixture(scope="module")
def small(site: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallBroker]:
    """The small broker with pay that builds up, and three trades of two months."""
    with db.connect() as conn:
        broker = SmallBroker(conn, tmp_path_factory.mktemp("windows"))
        apply_plan(broker.run, broker.file("std.toml", PLAN), by="anna")
        first = manager_row(1, "1.00", Profit="1000.00")
        second = manager_row(2, "1.50", **{"Close Time": "2026.03.05 11:00:00", "Profit": "-50.00"})
        april = manager_row(3, "1.00", **{"Close Time": "2026.04.05 11:00:00",
                                          "Profit": "-4000.00"})  # fmt: skip
        broker.bring("a.csv", manager(first))
        broker.bring("b.csv", manager(second, april))
        yield broker


def test_the_page_shows_the_periods_beside_the_lines(small: Any, client: Any) -> None:
    text = _read(client, 1)
    for words in (
        "What builds up", "tiered, 2026-03", "2.50 lots in the month",
        "adds -1000.00 USD to the result of the period", "carried on", "-285.00 USD",
        "because of", "trade Live-4 2", "P-2 already took 10.00 USD",
        "your difference 4.00 USD", "The books say the same.",
    ):  # fmt: skip
        assert words.lower() in text.lower(), words
    assert "The books say something else" not in text
    assert "carried over from before" in _read(client, 3)


def test_the_overview_counts_trades_whose_pay_builds_up(small: Any, open_page: Any) -> None:
    page = open_page("/overview/", role="finance")
    figure = page.locator(".stat", has_text="Trades booked today")
    figure.wait_for()
    assert "3" in figure.inner_text().split("\n")
    open_page.shoot(page, "overview_of_windows")


def test_a_partner_sees_his_own_periods_alone(small: Any) -> None:
    with db.connect() as conn:
        run = Run(conn)
        told = explain(run, run.servers[1], 1)
    everybody = {part["payee"] for part in parts_shown(told.parts, None)}
    assert everybody == {"P-1", "P-2"}
    ids = dict(zip(run.partners.codes, run.partners.ids.tolist(), strict=True))
    mine = parts_shown(told.parts, [ids["P-2"]])
    assert {part["payee"] for part in mine} == {"P-2"}
    causes = [cell for part in mine for row in part["booked"].rows for cell in row[1:2]]
    assert set(causes) == {"–"}, "they may name trades of others' clients"


def test_the_api_shows_a_key_its_own_periods_alone(small: Any, call: Any) -> None:
    path = "/v1/trades/Live-4/1/explanation"
    whole = call("GET", path, key("explain:read", partner="P-1")).json()
    assert {one["window"]["partner"] for one in whole["windows"]} == {"P-1", "P-2"}
    assert whole["agrees"] is True
    mine = call("GET", path, key("explain:read", partner="P-2"))
    assert {one["window"]["partner"] for one in mine.json()["windows"]} == {"P-2"}
    assert "P-1" not in mine.text
    assert "causes" not in mine.text


def _window(component: str) -> str:
    """The address of P-2's first window of a component."""
    with db.connect() as conn:
        row = conn.execute(
            "SELECT w.payee_id, w.component, (extract(epoch FROM w.window_start) * 1000)::bigint"
            "  FROM rating_window_line w JOIN plans_component c ON c.id = w.component"
            "  JOIN partners_partner p ON w.payee_kind = 'partner' AND p.id = w.payee_id"
            " WHERE c.code = %s AND p.code = 'P-2' ORDER BY w.id LIMIT 1", (component,)
        ).fetchone()  # fmt: skip
    assert row is not None
    return "/partners/{}/windows/{}/{}/".format(*row)


def test_a_line_of_a_period_leads_to_its_explanation(small: Any, open_page: Any) -> None:
    where = _window("tiered")
    page = open_page(f"/partners/{where.split('/')[2]}/statements/2026-03/", role="finance")
    page.get_by_role("row", name="tiered").get_by_role("link").first.click()
    page.wait_for_url(f"**{where}")
    page.get_by_text("The books say the same.").wait_for()
    text = page.locator("main").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    for words in ("In all 2 lines, 2.50 lots in the month: 12.50 USD", "trade 1", "trade 2",
                  "1.50 lots x 5.00 USD = 7.50 USD", "because of"):  # fmt: skip
        assert words.lower() in text.lower(), words
    assert open_page.fits(page)
    open_page.shoot(page, "window")
    page.get_by_role("link", name="trade 1").click()
    page.get_by_role("link", name="tiered, 2026-03").wait_for()


@pytest.mark.parametrize("width", [390])
def test_a_period_fits_on_a_small_screen(small: Any, open_page: Any, width: int) -> None:
    page = open_page(_window("tiered"), role="auditor", width=width, scheme="dark")
    page.get_by_text("Line by line").wait_for()
    assert open_page.fits(page)
    open_page.shoot(page, "window_390")


def test_a_period_is_told_to_whom_it_concerns(
    small: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = _window("tiered")
    parts = where.strip("/").split("/")
    assert client("metatrader").get(where).status_code == 403, "no money for him"
    who = client("finance")
    assert who.get("/partners/99/windows/1/0/").status_code == 404
    for wrong in (f"/partners/{parts[1]}/windows/999/{parts[4]}/",
                  f"/partners/{parts[1]}/windows/99999999999999999999/0/",
                  f"/partners/{parts[1]}/windows/{parts[3]}/0/",
                  f"/partners/{parts[1]}/windows/{parts[3]}/99999999999999999999/"):  # fmt: skip
        assert who.get(wrong).status_code == 404, wrong
    seen = "pipshare.console.window.scope_of"
    monkeypatch.setattr(seen, lambda conn, user: [int(parts[1])])
    own = who.get(where).content.decode()
    assert "trade 2" in own
    assert "trade Live-4 2" not in own, "causes may name trades of others' clients"
    monkeypatch.setattr(seen, lambda conn, user: [])
    assert who.get(where).status_code == 404


def test_a_long_period_shows_what_is_booked(
    small: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipshare.console.window.MOST_OF_A_PAGE", 1)
    text = client("finance").get(_window("tiered")).content.decode()
    assert "too many to work out on a page" in text
    assert "pipshare explain --window std/tiered P-2 2026-03" in text
    assert "Lines of the period in the books" in text


def test_it_fits_in_a_browser(small: Any, open_page: Any) -> None:
    page = open_page("/trades/1/1/why/", role="finance")
    page.get_by_role("heading", name="What builds up").wait_for()
    assert not open_page.sticks_out(page, [(1280, "light"), (390, "dark")], "why_windows")


def _read(client: Any, ticket: int) -> str:
    answer = client("finance").get(f"/trades/1/{ticket}/why/")
    assert answer.status_code == 200
    return str(answer.content.decode()).replace("\N{NO-BREAK SPACE}", " ")
