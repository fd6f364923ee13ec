"""`pipshare explain`: every amount with its working, in words and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cli_files import JOURNAL, MANAGER_HEADER, SQL, load_broker, manager_row

from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan, load


@pytest.fixture(scope="module")
def books(module_db: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small broker with 801 on both servers, and trade 1 on Live-4 in two revisions."""
    folder = tmp_path_factory.mktemp("books")
    files = {
        "first.csv": (MANAGER_HEADER + manager_row(1) + manager_row(801), "Live-4", None),
        "deals.sql": (SQL, "Live-5", None),
        "second.csv": (MANAGER_HEADER + manager_row(1, "0.30"), "Live-4", 1_900_000_000_000),
    }
    with module_db.app() as conn:
        run = load_broker(conn, folder)
        for name, (content, server, as_of_ms) in files.items():
            (folder / name).write_text(content)
            import_file(run, folder / name, Order(server, "anna", as_of_ms=as_of_ms))
    return folder


def test_the_json_of_an_explanation(cli: Any, books: Path) -> None:
    ran = cli("explain", "1", "--json")
    assert ran.status == 0
    found = json.loads(ran.out, parse_float=pytest.fail)
    assert list(found) == [
        "server", "ticket", "status", "closed_utc", "trade", "revisions", "legs", "attribution",
        "programme", "lines", "posted", "windows", "agrees",
    ]  # fmt: skip
    assert (found["server"], found["ticket"], found["status"]) == ("Live-4", 1, "rated")
    assert found["closed_utc"] == "2026-03-02T11:00:00+00:00"
    assert found["agrees"] is True
    trade = found["trade"]
    assert (trade["side"], trade["lots"], trade["close_price"]) == ("buy", "0.30", "1.101")
    assert (trade["open_time"], trade["commission"]) == ("2026-03-02T10:00:00", "-0.70")
    assert [row["revision"] for row in found["revisions"]] == [1, 2]
    assert [row["file"] for row in found["revisions"]] == ["first.csv", "second.csv"]
    assert [level["partner"] for level in found["attribution"]["chain"]] == ["P-2", "P-1"]
    told = [(row["level"], row["partner"], row["amount"], row["currency"], row["reason"],
             row["waits"]) for row in found["lines"]]  # fmt: skip
    assert told == [
        (1, "P-2", "1.50", "USD", "paid", None),
        (2, "P-1", "0.10", "USD", "paid", None),
    ]
    assert {"step": "lots", "value": "0.30"} in found["lines"][0]["working"]
    posted = [(row["revision"], row["partner"], row["amount"]) for row in found["posted"]]
    assert posted == [
        (1, "P-2", "0.50"), (1, "P-1", "0.03333333"), (2, "P-2", "1.00"), (2, "P-1", "0.06666667")
    ]  # fmt: skip


def test_in_words_with_the_corrections(cli: Any, books: Path) -> None:
    ran = cli("explain", "1")
    assert ran.status == 0
    for words in (
        "Trade 1 on Live-4, revision 2 of 2", "buy 0.30 lots EURUSD, login 1001", "from second.csv",
        "level 1: P-2 Sub", "level 2: P-1 Master [Ltd]", "programme: std version 1",
        "lots, level 1, P-2: 1.50 USD", "rate 5.00 USD per lot (plan std line 10, level 1",
        "rate 1/3 USD per lot", "booked, and corrected since:", "The books say the same.",
    ):  # fmt: skip
        assert words in ran.out


def test_an_earlier_revision_and_where_it_came_from(cli: Any, books: Path) -> None:
    ran = cli("explain", "1", "--revision", "1")
    assert ran.status == 0
    for words in ("revision 1 of 2", "buy 0.10 lots", "from first.csv", "P-2: 0.50 USD"):
        assert words in ran.out
    assert "The books say" not in ran.out, "the books have gone on since"
    for wrong in ("0", "3"):
        refused = cli("explain", "1", "--revision", wrong)
        assert refused.status == 1
        assert f"revisions 1 to 2, not {wrong}" in refused.err


def test_a_number_that_means_several_trades_lists_them(cli: Any, books: Path) -> None:
    ran = cli("explain", "801")
    assert ran.status == 1
    assert "801 is 2 trades; choose one:" in ran.out
    for server in ("Live-4", "Live-5"):
        assert f"pipshare explain --server {server} 801" in ran.out
        assert f"on {server}" in cli("explain", "801", "--server", server).out


@pytest.mark.parametrize("number", ["900", "800"], ids=["position", "opening deal"])
def test_a_position_or_its_opening_deal_leads_to_the_trade(
    cli: Any, books: Path, number: str
) -> None:
    ran = cli("explain", number)
    assert ran.status == 0
    assert "Trade 801 on Live-5" in ran.out
    assert "position 900" in ran.out
    assert "leg: deal 800, 0.10 lots at 1.1" in ran.out


def test_a_journals_trades_are_listed_so_that_they_can_be_asked_for(cli: Any, broker: Path) -> None:
    path = broker / "journal.csv"
    path.write_text(JOURNAL)
    assert cli("import", "--server", "Live-4", "--trust", "x", "--login", "1001", path).status == 0
    ran = cli("explain", "7")
    assert ran.status == 1
    offered = [line.split() for line in ran.out.splitlines()[1:]]
    assert len(offered) == 2
    for words in offered:
        assert cli(*words[1:]).status == 0


def test_what_is_not_there(cli: Any, books: Path) -> None:
    ran = cli("explain", "4711")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "pipshare: no trade 4711: import it first\n"
    wrong = cli("explain", "1", "--server", "Live-6")
    assert wrong.status == 1
    assert "there is no server 'Live-6'" in wrong.err
    assert cli("explain", "1", "--server", "Live-5").status == 1
    assert cli("explain", "99999999999999999999999").status == 1
    assert cli("explain", "abc").status == 2


PLAN = """[programme]
code = "std"
currency = "USD"
kyc = "hold"

[[component]]
code = "tiered"
basis = "lot"
mode = "per_level"
[component.tier]
measure = "lots"
window = "month"
method = "marginal"
[[component.rate]]
level = 1
amount = "3"
[[component.rate]]
level = 1
from = "2"
amount = "5"

[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
[component.qualify]
first_deposit = "100"
[[component.rate]]
level = 1
amount = "200"
"""
EVENTS = """event,kind,client,at,amount,currency,reference,source
d1,deposit,C-1,2026-03-02T10:00:00Z,500,USD,,crm
k1,kyc_approved,C-1,2026-03-03T10:00:00Z,,,,crm
k2,kyc_approved,C-1,2026-03-04T10:00:00Z,,,,crm
k2,kyc_approved,C-1,2026-03-04T10:00:00Z,,,,other
"""


@pytest.fixture
def building(templates: Any, tmp_path: Path) -> Iterator[Path]:
    """Pay that builds up, two trades in two files, and a deposit."""
    with templates.copy("cli_building", _built):
        yield tmp_path


def _built(database: Any) -> None:
    files = {
        "std.toml": PLAN,
        "events.csv": EVENTS,
        "one.csv": MANAGER_HEADER + manager_row(1, "1.50"),
        "two.csv": MANAGER_HEADER + manager_row(2, "1.00"),
    }
    with database.app() as conn, TemporaryDirectory() as place:
        folder = Path(place)
        run = load_broker(conn, folder)
        for name, text in files.items():
            (folder / name).write_text(text)
        apply_plan(run, folder / "std.toml", by="anna")
        assert not load(run, "events", folder / "events.csv", by="anna").reports[0].refused
        for name in ("one.csv", "two.csv"):
            import_file(run, folder / name, Order("Live-4", "anna"))


def test_what_builds_up_in_words_and_as_json(cli: Any, building: Path) -> None:
    words = cli("explain", "2").out
    for said in (
        "tiered, level 1, P-2, 2026-03", "2.50 lots in the month", "this trade: 4.00 USD",
        "in all 2 lines", "because of trade Live-4 1", "because of trade Live-4 2",
        "the books say the same",
    ):  # fmt: skip
        assert said in words, words
    told = json.loads(cli("explain", "2", "--json").out, parse_float=pytest.fail)
    [part] = told["windows"]
    assert part["lines"][0]["amount"] == "4.00"
    window = part["window"]
    assert (window["amount"], window["booked_amount"], window["agrees"]) == ("8.50", "8.50", True)
    assert [row["causes"]["trades"] for row in window["booked"]] == [["Live-4 1"], ["Live-4 2"]]


def test_a_window_in_words_and_as_json(cli: Any, building: Path) -> None:
    words = cli("explain", "--window", "tiered", "P-2", "2026-03").out
    for said in ("trade 1 on Live-4: 4.50 USD", "trade 2 on Live-4: 4.00 USD", "8.50 USD",
                 "the books say the same"):  # fmt: skip
        assert said in words, words
    [told] = json.loads(cli("explain", "--window", "cpa", "P-2", "2026-03", "--json").out)
    assert (told["amount"], told["lines"][0]["event"], told["agrees"]) == ("200.00", "d1", True)
    wrong = cli("explain", "--window", "tired", "P-2", "2026-03")
    assert (wrong.status, "there are cpa, tiered" in wrong.err) == (1, True)


def test_an_event_in_words_and_as_json(cli: Any, building: Path) -> None:
    words = cli("explain", "--event", "d1").out
    for said in ("Event d1 of crm: deposit 500.00 USD", "of client C-1", "event d1: 200.00 USD",
                 "the books say the same"):  # fmt: skip
        assert said in words, words
    told = json.loads(cli("explain", "--event", "d1", "--json").out)
    assert (told["event"]["client"], told["agrees"]) == ("C-1", True)
    assert told["booked"][0]["amount"] == "200.00"
    assert "Nothing was paid" in cli("explain", "--event", "k1").out
    both = cli("explain", "--event", "k2")
    assert (both.status, "say which with --source" in both.err) == (1, True)
    assert cli("explain", "--event", "k2", "--source", "other").status == 0


def test_what_an_event_led_to_that_is_held_still(cli: Any, building: Path) -> None:
    (building / "held.csv").write_text(
        "event,kind,client,at,amount,currency,source\n"
        "k3,kyc_withdrawn,C-1,2026-03-01T10:00:00Z,,,crm\n"
        "k1,kyc_withdrawn,C-1,2026-03-03T10:00:00Z,,,crm\n"
        "k2,kyc_withdrawn,C-1,2026-03-04T10:00:00Z,,,crm\n"
        "k2,kyc_withdrawn,C-1,2026-03-04T10:00:00Z,,,other\n"
    )
    assert cli("load", "events", building / "held.csv").status == 0
    words = cli("explain", "--event", "d1").out
    assert "held until the client's KYC is approved: P-2 " in words, words
    told = json.loads(cli("explain", "--event", "d1", "--json").out)
    assert [row["payee"] for row in told["held"]] == ["P-2"]


def test_one_thing_at_a_time(cli: Any, broker: Path) -> None:
    assert cli("explain").status == 2
    assert cli("explain", "1", "--event", "d1").status == 2
