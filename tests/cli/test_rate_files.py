"""Files of `pipshare rate` that are only partly right: what is good is rated, the rest is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_ran import Cli

from pipshare.pipeline.from_files.columns import ALIASES, TREE_TABLES, fields_of

PLAN = """[programme]
code = "std"
currency = "USD"
[[component]]
code = "spread"
basis = "spread"
mode = "per_level"
[component.spread]
measured = "close"
quotes = ["imported"]
[[component.rate]]
level = 1
share = "50%"
[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
[component.qualify]
first_deposit = "100"
[[component.rate]]
level = 1
amount = "20"
"""
TREE: dict[str, list[dict[str, str]]] = {
    "partners": [{"partner": "P-1", "card": "standard", "currency": "EUR"}],
    "clients": [{"client": "C-1", "partner": "P-1"}, {"client": "C-2", "partner": "P-1"}],
}
GOOD = {
    "trades": "ticket,client,symbol,lots,close_time\n1,C-1,EURUSD,1,2026-03-02 10:00:00\n",
    "symbols": "symbol,digits\nEURUSD,5\n",
    "quotes": "symbol,time,bid,ask\nEURUSD,2026-03-02 09:59:30,1.10000,1.10010\n",
    "fx": "base,quote,rate\nEUR,USD,1.25\n",
    "events": "kind,at,client,amount,currency\ndeposit,2026-03-02 12:00,C-1,100,USD\n",
}


@pytest.fixture
def rate(tmp_path: Path, cli: Cli) -> Any:
    """Return a function that rates the files above, with more text at the end of some."""

    def run(**more: str) -> dict[str, Any]:
        (tmp_path / "plan.toml").write_text(PLAN)
        (tmp_path / "tree.json").write_text(json.dumps(TREE))
        arguments: list[object] = ["rate", "--json", "--plan", tmp_path / "plan.toml",
                                   "--tree", tmp_path / "tree.json"]  # fmt: skip
        for name, text in GOOD.items():
            (tmp_path / f"{name}.csv").write_text(text + more.get(name, ""))
            arguments += [f"--{name}", tmp_path / f"{name}.csv"]
        ran = cli(*arguments)
        assert ran.out, ran.err
        found: dict[str, Any] = json.loads(ran.out)
        assert ran.status == bool(found["refused"])
        return found

    return run


def test_all_files_together(rate: Any) -> None:
    found = rate()
    assert [(line["trade"], line["event"], line["component"], line["amount"], line["currency"])
            for line in found["lines"]] == [
        (1, None, "spread", "4.00", "EUR"), (None, "line-2", "cpa", "16.00", "EUR"),
    ]  # fmt: skip
    assert found["totals"] == [
        {"partner": "P-1", "payee": "partner", "currency": "EUR", "amount": "20.00",
         "payable": "20.00", "carried": "0.00"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "row", "code", "said"),
    [
        ("symbols", "GBPUSD,11", "bad_symbol", "field digits: 11 is not"),
        ("quotes", "EURUSD,2026-03-02 09:00,1.2,1.1", "bad_quote", "ask not below bid"),
        ("quotes", "XAUUSD,2026-03-02 09:00,1.2,1.3", "unknown_symbol", "XAUUSD is not known"),
        ("quotes", "EURUSD,soon,1.2,1.3", "bad_time", "'soon' is not a time"),
        ("fx", "EUR,EUR,1", "same_currency", "costs 1 in itself"),
        ("fx", "EUR,USD,0", "bad_rate", "more than 0"),
        ("fx", "EUR,USD,", "no_rate", "give the rate, or bid and ask"),
        ("fx", "EUR,DOLLAR1234,1", "not_a_currency", "field quote"),
        ("events", "depsit,2026-03-02,C-1,1,USD", "unknown_kind", "did you mean deposit?"),
        ("events", "deposit,2026-03-02,C-9,1,USD", "unknown_client", "nobody knows C-9"),
        ("events", "deposit,2026-03-02,C-1,-1,USD", "negative_amount", "more than zero"),
        ("events", "deposit,2026-03-02,C-1,,USD", "missing_field", "needs the field amount"),
        ("events", "deposit,2026-13-02,C-1,1,USD", "bad_moment", "field at"),
        ("events", "deposit,2026-03-02,,1,USD", "nobody", "neither a client nor an account"),
        ("events", "client.unmerged,2026-03-02,C-1,,", "not_followed", "as they are to be"),
        ("trades", "2,C-9,EURUSD,1,2026-03-02", "unknown_client", "no client 'C-9'"),
        ("trades", "2,,EURUSD,1,2026-03-02", "no_owner", "tell the login or the client"),
        ("trades", "2,C-1,EURUSD,-1,2026-03-02", "bad_lots", "more than 0"),
    ],
)
def test_a_wrong_row_is_named_and_the_others_are_rated(
    rate: Any, name: str, row: str, code: str, said: str
) -> None:
    found = rate(**{name: row + "\n"})
    assert [(one["file"], one["line"], one["code"]) for one in found["refused"]] == [
        (f"{name}.csv", 3, code)
    ]
    assert said in found["refused"][0]["reason"]
    assert [line["amount"] for line in found["lines"]] == ["4.00", "16.00"]


def test_what_is_missing_waits(rate: Any) -> None:
    late = "2,C-1,EURUSD,1,2026-03-02 11:00:00\n3,C-1,USDJPY,1,2026-03-02 10:00:00\n"
    found = rate(trades=late)
    assert [(one["trade"], one["reason"]) for one in found["waiting"]] == [
        (2, "no_quote"), (3, "no_contract"),
    ]  # fmt: skip
    assert [line["amount"] for line in found["lines"]] == ["4.00", "16.00"]


def test_a_reversal_of_what_is_not_in_the_files_waits(
    rate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(GOOD, "events", "event,kind,at,client,amount,currency,reference\n"
                        "d-1,deposit,2026-03-02 12:00,C-1,100,USD,\n"
                        "x-9,deposit_reversed,2026-03-03 12:00,C-1,,,d-9\n")  # fmt: skip
    found = rate()
    assert [(one["event"], one["reason"], one["key"]) for one in found["waiting"]] == [
        ("x-9", "unknown_reference", "d-9")
    ]
    assert [line["amount"] for line in found["lines"]] == ["4.00", "16.00"]


def test_a_snapshot_names_an_account_alone(rate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    account = [{"login": 7, "client": "C-1"}]
    monkeypatch.setitem(TREE, "accounts", account)
    monkeypatch.setitem(GOOD, "events", "kind,at,login,credit,equity\n"
                        "account_snapshot,2026-03-02 09:00,7,80,100\n")  # fmt: skip
    assert [line["amount"] for line in rate()["lines"]] == ["4.00"]


def test_two_servers_have_to_be_named(rate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TREE, "servers", [{"server": "A"}, {"server": "B"}])
    found = rate()
    assert [(one["file"], one["code"]) for one in found["refused"]] == [
        ("quotes.csv", "unknown_server"), ("trades.csv", "no_server"),
    ]  # fmt: skip
    assert [line["amount"] for line in found["lines"]] == ["16.00"]


def test_earlier_months_are_told_as_history(tmp_path: Path, cli: Cli) -> None:
    """The example rolling-average-bonus, of whose months only the last comes as trades."""
    folder = Path(__file__).parents[2] / "examples" / "rolling-average-bonus"
    tree = json.loads((folder / "tree.json").read_text())
    tree["history"] = [
        {"partner": "IB-1", "kind": "earned", "component": "lots", "period": f"2026-0{month}",
         "amount": amount} for month, amount in ((1, "5500"), (2, "4800"))
    ]  # fmt: skip
    (tmp_path / "tree.json").write_text(json.dumps(tree))
    header, *_, last = (folder / "trades.csv").read_text().splitlines()
    (tmp_path / "trades.csv").write_text(f"{header}\n{last}\n")
    ran = cli("rate", "--json", "--plan", folder / "plan.toml", "--tree", tmp_path / "tree.json",
              "--trades", tmp_path / "trades.csv")  # fmt: skip
    totals = json.loads(ran.out)["totals"]
    assert [one["amount"] for one in totals] == ["7344.00"]


def test_what_was_paid_before_is_repaid_first(rate: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TREE, "history", [
        {"partner": "P-1", "kind": "paid", "amount": "25"},
        {"partner": "P-9", "kind": "paid", "amount": "1"},
        {"partner": "P-1", "kind": "earned", "component": "bonus", "amount": "1"},
        {"partner": "P-1", "kind": "earned", "component": "cpa", "period": "2026", "amount": "1"},
    ])  # fmt: skip
    found = rate()
    assert [(one["amount"], one["payable"], one["carried"]) for one in found["totals"]] == [
        ("20.00", "0.00", "-5.00")
    ]
    assert [one["code"] for one in found["refused"]] == [
        "unknown_partner", "unknown_component", "bad_period",
    ]  # fmt: skip


LOST = "l1,chargeback_lost,2026-03-28 12:00,C-1,,,d1\n"
LATER = "d2,deposit,2026-03-27 12:00,C-2,100,USD,\n"


@pytest.mark.parametrize(
    ("last", "amount", "payable"),
    [
        (LOST, "4.00", "4.00"),
        # What rests repays the debt first; a closing, which knows whose it was, is stricter.
        (LATER + LOST, "20.00", "20.00"),
        (LATER, "36.00", "20.00"),
    ],
)  # fmt: skip
def test_a_debt_does_not_rest(
    rate: Any, monkeypatch: pytest.MonkeyPatch, last: str, amount: str, payable: str
) -> None:
    held = 'event = "qualified"\nhold_days = 10\nclawback_days = 90'
    monkeypatch.setattr(f"{__name__}.PLAN", PLAN.replace('event = "qualified"', held))
    monkeypatch.setitem(GOOD, "events", "event,kind,at,client,amount,currency,reference\n"
                        "d1,deposit,2026-03-02 12:00,C-1,100,USD,\n")  # fmt: skip
    [total] = rate(events=last)["totals"]
    assert (total["amount"], total["payable"]) == (amount, payable)


OVERRIDE = """
[[component]]
code = "head"
basis = "fixed"
mode = "override"
event = "qualified"
[component.qualify]
first_deposit = "100"
[[component.rate]]
level = 2
share = "10%"
of = "cpa"
"""


def test_a_share_of_what_the_child_gets_for_a_client(
    rate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "PLAN", PLAN + OVERRIDE)
    people = [*TREE["partners"], {"partner": "P-0", "card": "standard"}]
    people[0] = {**people[0], "parent": "P-0"}
    monkeypatch.setitem(TREE, "partners", people)
    lines = [(line["component"], line["partner"], line["amount"]) for line in rate()["lines"]]
    assert lines == [("spread", "P-1", "4.00"), ("cpa", "P-1", "16.00"), ("head", "P-0", "2.00")]


def test_the_reference_names_every_column() -> None:
    text = (Path(__file__).parents[2] / "docs" / "reference" / "rate.md").read_text()
    trades = text[text.index("## --trades") : text.index("## --events")]
    for field in fields_of("trades"):
        assert f"`{field.name}`" in trades
    for alias in ALIASES["trades"]:
        assert alias in trades or alias in {"ask_open", "bid_close", "ask_close"}
    tree = text[text.index("## --tree") : text.index("## --trades")]
    for table in TREE_TABLES:
        assert f"`{table}`" in tree
    for field in fields_of("history"):
        assert f"`{field.name}`" in tree or field.name == "entity"
