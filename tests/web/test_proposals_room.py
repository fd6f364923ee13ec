"""The room Proposals: two people decide, whoever proposed takes back, and the books follow.

Each test has a client of its own, as they share a database.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker, manager, manager_row

from pipshare import audit, clients
from pipshare.pipeline.rest import to_rest

MOVED, BUTTONS, FIT = 2, 3, {390: 4, 1280: 5}  # whose client each test moves
MINE, THEIRS = ("IR", "BY")
PLAN = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
rate = [{ level = 1, amount = "5" }]
"""


@pytest.fixture(scope="module")
def broker(site: Any, tmp_path_factory: Any) -> Any:
    """Clients of P-2's with a lot each."""
    numbers = range(2, 6)
    with site.app() as conn:
        made = SmallBroker(conn, Path(tmp_path_factory.mktemp("broker")))
        made.plan(PLAN)
        made.load("clients", "client,partner\n" + "".join(f"C-{n},P-2\n" for n in numbers))
        made.load("accounts", "server,login,client\n"
                  + "".join(f"Live-4,{1000 + n},C-{n}\n" for n in numbers))  # fmt: skip
        rows = [manager_row(n, "1.00", Login=str(1000 + n)) for n in numbers]
        made.bring("a.csv", manager(*rows))
        yield made


def _rest(broker: SmallBroker) -> None:
    """Bring all to rest, as `pipshare work` does when it is waked."""
    broker.run.current()
    to_rest(broker.run)


def _move(broker: SmallBroker, client: int) -> int:
    """Propose that a client was P-1's from the beginning."""
    row = f"client,C-{client},P-1,2026-01-01T00:00:00Z\n"
    text = f"kind,code,partner,valid_from\n{row}"
    (report,) = broker.load("relations", text, reason="P-1's client")
    assert len(report.proposed) == 1
    return int(report.proposed[0])


def _block(broker: SmallBroker, country: str, by: str) -> int:
    number = clients.say_jurisdiction(
        broker.conn, "main", country, blocked=True, by=by, reason="sanctions", from_ms_=1
    )
    broker.conn.commit()
    assert number is not None
    return int(number)


def _card(page: str, number: int) -> str:
    """Return the part of a page that is about a proposal, "" where there is none."""
    parts = page.split('<section class="panel">')
    return next((one for one in parts if one.partition("<h2>")[2].startswith(f"{number}:")), "")


def test_a_move_is_approved_and_what_was_earned_follows(broker: Any, client: Any) -> None:
    _rest(broker)
    before = broker.totals().get("P-1", 0)
    number = _move(broker, MOVED)
    finance = client("finance")
    card = _card(finance.get("/proposals/").text, number)
    for said in ("Whose client or sub-partner", f"C-{MOVED}", "P-1&#x27;s client", "anna"):
        assert said in card
    answer = finance.post(f"/proposals/{number}/", {"what": "approve"}, follow=True).text
    assert "it holds, and what it changes is rated again" in answer
    assert not _card(answer, number)
    assert "Approved" in answer
    _rest(broker)
    assert broker.totals()["P-1"] == before + 5 * 10**8
    again = finance.post(f"/proposals/{number}/", {"what": "reject"}, follow=True).text
    assert "was approved by" in again


def test_whoever_proposed_it_takes_it_back_and_approves_nothing(
    broker: Any, client: Any, person: Any
) -> None:
    user = person("finance")
    me, number = client(user), _block(broker, MINE, user.email)
    card = _card(me.get("/proposals/").text, number)
    assert "Yours" in card
    assert "Take it back" in card
    assert ">Approve<" not in card
    where = f"/proposals/{number}/"
    refused = me.post(where, {"what": "approve"}, follow=True).text
    assert "somebody else has to decide" in refused
    assert "press Approve or Reject" in me.post(where, {}, follow=True).text
    assert "it is not done" in me.post(where, {"what": "reject"}, follow=True).text
    assert audit.proposal(broker.conn, number).approved is False


def test_who_may_decide_what(broker: Any, client: Any) -> None:
    country, move = _block(broker, THEIRS, "anna"), _move(broker, BUTTONS)
    assert "<button" not in _card(client("auditor").get("/proposals/").text, country)
    compliance = client("compliance")
    page = compliance.get("/proposals/").text
    assert ">Approve<" in _card(page, country)
    assert "<button" not in _card(page, move)
    said = compliance.post(f"/proposals/{move}/", {"what": "approve"}, follow=True).text
    assert "no such proposal for you" in said
    assert audit.proposal(broker.conn, move).approved is None
    compliance.post(f"/proposals/{country}/", {"what": "approve"})
    assert audit.proposal(broker.conn, country).approved
    assert client("partner").get("/proposals/").status_code == 403
    unknown = compliance.post("/proposals/999/", {"what": "approve"}, follow=True)
    assert "there is no proposal 999" in unknown.text.lower()


@pytest.mark.parametrize("width", list(FIT))
def test_it_fits_every_screen(broker: Any, open_page: Any, width: int) -> None:
    number = _move(broker, FIT[width])
    page = open_page("/proposals/", role="finance", width=width)
    card = page.locator("section.panel", has_text=f"{number}: Whose client")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    open_page.shoot(page, f"proposals-{width}")
    card.get_by_role("button", name="Approve").click()
    page.get_by_text("rated again").wait_for()
    page.get_by_text("Decided lately").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    open_page.shoot(page, f"proposals-decided-{width}")
