"""The overview's list of what waits: a client's bonus that has no trade stands there, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker
from tests.scenarios.window_plans import CPA

from pipshare import db
from pipshare.console.kept import forget
from pipshare.pipeline.loads import apply_plan

DEPOSIT = """event,kind,client,at,amount,currency,reference,source
d1,deposit,C-1,2026-03-02T10:00:00Z,150,EUR,,crm
"""


@pytest.fixture(scope="module")
def waiting(site: Any, scratch: Path) -> None:
    """A client qualified, and no exchange rate turns his bonus into the partner's wallet."""
    with db.connect() as conn:
        broker = SmallBroker(conn, scratch)
        text = CPA.replace('currency = "USD"', 'currency = "EUR"')
        apply_plan(broker.run, broker.file("std.toml", text), by="anna")
        broker.load("events", DEPOSIT)


def test_a_bonus_that_waits_is_listed_with_what_to_do(
    waiting: None, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = _overview(client)
    for words in ("std/cpa", "EUR/USD", "1 line", "of no trade, as client C-1", "pipshare load fx"):
        assert words in text
    assert "Nothing waits" not in text
    monkeypatch.setattr("pipshare.console.overview.scope_of", lambda conn, user: [])
    assert "std/cpa" not in _overview(client), "it is another partner's"


def test_it_fits_in_a_browser(waiting: None, open_page: Any) -> None:
    page = open_page("/overview/", role="finance")
    page.get_by_text("std/cpa").wait_for()
    assert not open_page.sticks_out(page, [(1280, "light"), (390, "light")], "overview_waits")


def _overview(client: Any) -> str:
    forget()
    answer = client("finance").get("/overview/")
    assert answer.status_code == 200
    return str(answer.content.decode())
