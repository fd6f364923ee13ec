"""`pipshare rate`: files in, lines, totals and waits out, without a database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_ran import Cli

PLAN = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
symbol_group = "forex"
amount = "5.00"
[[component.rate]]
level = 2
amount = "1/3"
"""
TREE = {
    "partners": [
        {"partner": "P-1", "programme": "std"},
        {"partner": "P-2", "parent": "P-1", "programme": "std"},
    ],
    "clients": [{"client": "C-1", "partner": "P-2"}],
    "symbols": [{"symbol": "EURUSD", "symbol_group": "forex"}],
}
TRADES = (
    "ticket,symbol,lots,open_time,close_time\n"
    "11,EURUSD,2,2026-03-02 10:00:00,2026-03-02 11:00:00\n"
    "12,EURUSD,0.01,2026-03-02 10:00:00,2026-03-02 11:00:00\n"
)


class Folder:
    """The files of one case; what is not told is as above."""

    def __init__(self, folder: Path, cli: Cli) -> None:
        self._folder, self._cli = folder, cli
        self.write("plan.toml", PLAN)
        self.write("tree.json", json.dumps(TREE))
        self.write("trades.csv", TRADES)

    def write(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.write_text(text)
        return path

    def run(self, *more: str, tree: str = "tree.json", trades: str = "trades.csv") -> Any:
        return self._cli("rate", "--plan", self._folder / "plan.toml", "--tree",
                         self._folder / tree, "--trades", self._folder / trades, *more)  # fmt: skip

    def rated(self, *more: str, **files: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("--json", *more, **files).out)
        return found

    def amounts(self, **files: str) -> list[tuple[Any, ...]]:
        return [(line["trade"], line["partner"], line["amount"])
                for line in self.rated(**files)["lines"]]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, cli: Cli) -> Folder:
    return Folder(tmp_path, cli)


EXPECTED = [
    (11, "P-2", "10.00"), (11, "P-1", "0.66666667"),
    (12, "P-2", "0.05"), (12, "P-1", "0.00333333"),
]  # fmt: skip


def test_lines_totals_and_rules_are_told_as_json(folder: Folder) -> None:
    found = folder.rated()
    line = found["lines"][0]
    assert {name: line[name] for name in ("event", "period", "level", "component", "currency",
                                          "reason")} == {
        "event": None, "period": "2026-03", "level": 1, "component": "lots", "currency": "USD",
        "reason": "paid"}  # fmt: skip
    assert "plan.toml:9" in line["rule"]
    assert "symbol group forex" in line["rule"]
    assert found["waiting"] == found["refused"] == []
    assert [(one["partner"], one["amount"], one["payable"]) for one in found["totals"]] == [
        ("P-2", "10.05", "10.05"), ("P-1", "0.67", "0.67"),
    ]  # fmt: skip


def test_a_person_reads_a_table(folder: Folder) -> None:
    ran = folder.run()
    assert ran.status == 0
    assert "10.05 USD" in ran.out
    assert "P-2" in ran.out


def test_trees_of_all_three_forms_say_the_same(folder: Folder) -> None:
    folder.write(
        "tree.toml",
        """
[[partner]]
partner = "P-1"
programme = "std"
[[partner]]
partner = "P-2"
parent = "P-1"
programme = "std"
[[client]]
client = "C-1"
partner = "P-2"
[[symbol]]
symbol = "EURUSD"
symbol_group = "forex"
""",
    )
    folder.write("tree.csv", "table,partner,parent,programme,client,symbol,symbol_group\n"
                 "partners,P-1,,std,,,\npartners,P-2,P-1,std,,,\nclients,P-2,,,C-1,,\n"
                 "symbols,,,,,EURUSD,forex\n")  # fmt: skip
    for tree in ("tree.json", "tree.toml", "tree.csv"):
        assert folder.amounts(tree=tree) == EXPECTED


def test_trades_in_json_keep_every_digit(folder: Folder) -> None:
    rows = (
        '[{"id": 11, "instrument": "eurusd", "volume": 2, "opened": "2026-03-02T10:00:00Z",'
        ' "closed": "2026-03-02T11:00:00Z"},'
        ' {"id": "12", "instrument": "EURUSD", "volume": 0.01, "opened": "2026-03-02 10:00:00",'
        ' "closed": "2026.03.02 11:00:00"}]'
    )
    folder.write("trades.json", rows)
    assert folder.amounts(trades="trades.json") == EXPECTED
    folder.write("under.json", f'{{"trades": {rows}}}')
    assert folder.amounts(trades="under.json") == EXPECTED


def test_a_ticket_may_be_a_word_or_left_out(folder: Folder) -> None:
    folder.write("trades.csv", TRADES.replace("11,", "first,", 1).replace("\n12,", "\n,", 1))
    assert {line[0] for line in folder.amounts()} == {"first", 2}


def test_a_bad_row_is_left_out_and_named(folder: Folder) -> None:
    folder.write("trades.csv", TRADES + "13,EURUSD,none,,2026-03-02 11:00:00\n"
                 "11,EURUSD,1,,2026-03-02 11:00:00\n14,EURUSD,0,,2026-03-02 11:00:00\n"
                 "15,EURUSD,1,2026-03-02 12:00:00,2026-03-02 11:00:00\n"
                 "16,EURUSD,1,,yesterday\n17,EURUSD\n")  # fmt: skip
    ran = folder.run("--json")
    found = json.loads(ran.out)
    assert ran.status == 1
    assert [(one["line"], one["code"]) for one in found["refused"]] == [
        (4, "not_a_number"), (5, "said_twice"), (6, "bad_lots"), (7, "closed_before_opened"),
        (8, "bad_time"), (9, "cell_count"),
    ]  # fmt: skip
    assert "trades.csv, line 4, field lots: 'none' is not a plain" in found["refused"][0]["reason"]
    assert [(one["trade"], one["partner"], one["amount"]) for one in found["lines"]] == EXPECTED
    assert "left out" in folder.run().err


@pytest.mark.parametrize(
    ("table", "row", "said"),
    [
        ("clients", {"client": "C-2", "partner": "P-9"}, "no partner 'P-9'"),
        ("terms", {"partner": "P-1", "programme": "gold"}, "no programme 'gold'"),
        ("terms", {"partner": "P-1", "programme": "std", "card": "vip"}, "nothing for the card"),
        ("accounts", {"login": 1, "client": "C-1", "server": "Live"}, ""),
        ("relations", {"code": "P-7", "partner": "P-1", "kind": "partner"}, "no partner 'P-7'"),
        ("groups", {"group": "real\\*", "lot_factor": "x"}, "field lot_factor"),
    ],
)
def test_a_wrong_row_of_the_tree_is_named(
    folder: Folder, table: str, row: dict[str, Any], said: str
) -> None:
    tree: dict[str, Any] = {**TREE, table: [*TREE.get(table, []), row]}
    folder.write("tree.json", json.dumps(tree))
    owned = TRADES.replace("lots,", "lots,client,").replace("0.01,", "0.01,C-1,")
    folder.write("trades.csv", owned.replace("EURUSD,2,", "EURUSD,2,C-1,"))
    reasons = [one["reason"] for one in folder.rated()["refused"]]
    assert len(reasons) == bool(said)
    assert all(said in reason and f"tree.json, {table} item" in reason for reason in reasons)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tree.json", '{"partner": [', "line 1: not valid JSON"),
        ("tree.json", '{"partnrs": []}', "no table 'partnrs' (did you mean partners?)"),
        ("tree.json", "[]", "a tree in JSON is an object of tables"),
        ("tree.json", '{"clients": [{"client": "C-1"}]}', "the tree has no partners"),
        ("tree.json", '{"partners": [{"partner": "A", "parent": "B"}, {"partner": "B",'
         ' "parent": "A"}]}', "a circle of partners: A under B under A"),
        ("tree.json", '{"partners": [{"partnr": "A"}]}', "did you mean partner?"),
        ("trades.csv", "ticket,symbol,lots\n1,EURUSD,1\n", "column close_time is missing"),
        ("trades.csv", "symbol,lots,volume,close_time\n", "column lots is told twice"),
        ("trades.csv", "", "trades.csv is empty"),
        ("plan.toml", PLAN.replace('basis = "lot"', 'basis = "lots"'), "plan.toml:7"),
    ],
)  # fmt: skip
def test_what_nothing_can_be_rated_with_ends_in_one_sentence(
    folder: Folder, name: str, text: str, said: str
) -> None:
    folder.write(name, text)
    ran = folder.run()
    assert ran.status == 1
    assert said in ran.err


def test_what_is_missing_waits_and_says_what_for(folder: Folder) -> None:
    tree = {**TREE, "partners": [*TREE["partners"], {"partner": "P-3"}],
            "clients": [*TREE["clients"], {"client": "C-3", "partner": "P-3"},
                        {"client": "C-4"}, {"client": "C-5", "partner": "direct"}]}  # fmt: skip
    folder.write("tree.json", json.dumps(tree))
    folder.write("trades.csv", "ticket,client,symbol,lots,open_time,close_time\n" + "".join(
        f"{n},{client},{symbol},1,2026-03-02 10:00:00,2026-03-02 11:00:00\n"
        for n, client, symbol in ((1, "C-1", "XAUUSD"), (2, "C-3", "EURUSD"), (3, "C-4", "EURUSD"),
                                  (4, "C-5", "EURUSD"))))  # fmt: skip
    found = folder.rated()
    assert [(one["trade"], one["reason"]) for one in found["waiting"]] == [
        (3, "no_relation"), (1, "unpriced"), (2, "no_terms"),
    ]  # fmt: skip
    assert found["unrated"] == [{"trade": 4, "reason": "client_direct"}]
    assert found["waiting"][1]["key"] == "XAUUSD"
    assert "P-3" in folder.run().out


def test_two_plans_and_two_versions(folder: Folder, tmp_path: Path) -> None:
    later = PLAN.replace('code = "std"\n', 'code = "std"\nvalid_from = 2026-03-02\n')
    folder.write("later.toml", later.replace('"5.00"', '"7.00"'))
    folder.write("trades.csv", TRADES.replace("12,", "10,").replace(
        "0.01,2026-03-02 10:00:00,2026-03-02", "1,2026-03-01 10:00:00,2026-03-01"))  # fmt: skip
    found = folder.rated("--plan", str(tmp_path / "later.toml"))
    assert [(line["trade"], line["amount"]) for line in found["lines"] if line["level"] == 1] == [
        (10, "5.00"), (11, "14.00"),
    ]  # fmt: skip
    assert "later.toml:10" in found["lines"][2]["rule"]
    ran = folder.run("--plan", str(tmp_path / "plan.toml"))
    assert "from the same moment on" in ran.err


def test_history_before_the_go_live_pays_nothing(folder: Folder) -> None:
    server = {"server": "Live", "platform": "mt4", "clock": "Europe/Nicosia",
              "go_live": "2026-03-02T08:30:00Z"}  # fmt: skip
    tree = {**TREE, "servers": [server]}
    folder.write("tree.json", json.dumps(tree))
    early = TRADES.replace("2026-03-02 11:00:00\n12", "2026-03-02 10:15:00\n12")
    folder.write("trades.csv", early)
    found = folder.rated()
    assert found["unrated"] == [{"trade": 11, "reason": "before_go_live"}]
    assert {line["trade"] for line in found["lines"]} == {12}


def test_the_working_of_a_trade_is_shown(folder: Folder) -> None:
    ran = folder.run("--explain", "11")
    assert ran.status == 0
    assert "lots, level 1, P-2: 10.00 USD (paid)" in ran.out
    assert "5.00 USD per lot" in ran.out
    assert "no such one" in folder.run("--explain", "99").err


def test_nothing_to_rate_is_wrong_use(cli: Cli, tmp_path: Path) -> None:
    for name, text in (("plan.toml", PLAN), ("tree.json", json.dumps(TREE))):
        (tmp_path / name).write_text(text)
    ran = cli("rate", "--plan", tmp_path / "plan.toml", "--tree", tmp_path / "tree.json")
    assert ran.status == 2
    assert "--trades" in ran.err


def test_a_symbol_group_that_no_symbol_has_is_refused_as_plan_check_does(folder: Folder) -> None:
    folder.write("plan.toml", PLAN.replace('"forex"', '"forx"'))
    ran = folder.run()
    assert ran.status != 0
    assert "plan.toml:9" in ran.err
    assert 'symbol group "forx" is unknown' in ran.err
    assert "forex" in ran.err
    folder.write("tree.json", json.dumps({k: v for k, v in TREE.items() if k != "symbols"}))
    assert folder.run().status == 0


def test_a_country_is_known_in_small_letters_too(folder: Folder) -> None:
    asked = '[component.when]\ncountries = ["CY"]\n[[component.rate]]'
    folder.write("plan.toml", PLAN.replace("[[component.rate]]", asked, 1))
    clients = [{"client": "C-1", "partner": "P-2", "country": "cy"}]
    folder.write("tree.json", json.dumps({**TREE, "clients": clients}))
    assert folder.amounts() == EXPECTED


def test_a_client_whose_deposit_cannot_be_converted_is_told_by_his_trades(folder: Folder) -> None:
    asked = 'currency = "USD"\n[programme.qualify]\nfirst_deposit = "100"\n'
    folder.write("plan.toml", PLAN.replace('currency = "USD"\n', asked, 1))
    events = folder.write("events.csv", "kind,at,client,amount,currency\n"
                          "deposit,2026-03-01 12:00,C-1,500,CHF\n")  # fmt: skip
    found = folder.rated("--events", str(events))
    assert [(one["trade"], one["reason"], one["key"]) for one in found["waiting"]] == [
        (11, "no_fx", "CHF/USD"), (12, "no_fx", "CHF/USD")]  # fmt: skip
    assert {line["reason"] for line in found["lines"]} == {"not_qualified"}
