"""`pipshare compare legacy`: a parallel run, its verdict, and why single trades differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from cli_files import MANAGER_HEADER, PLAN, load_broker, manager_row

from pipshare.pipeline.compare.compare import _biggest, _note, _Sums
from pipshare.pipeline.files import Order, import_file

HEADER = "partner,ticket,server,amount,currency\n"
# 0.10, 0.20 and 0.40 lots at 5 to P-2; P-1 gets a third of a dollar per lot, rounded per trade.
GOOD = HEADER + "P-2,1,Live-4,0.50,USD\nP-2,2,Live-4,1.00,USD\nP-2,4,Live-4,2.00,USD\n"
MASTER = "P-1,,,0.2333,USD\n"


@pytest.fixture(scope="module")
def books(module_db: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three booked trades of March; a fourth (3) waits for its symbol."""
    folder = tmp_path_factory.mktemp("books")
    path = folder / "export.csv"
    rows = manager_row(1) + manager_row(2, "0.20") + manager_row(3, symbol="NEWPAIR")
    path.write_text(MANAGER_HEADER + rows + manager_row(4, "0.40"))
    with module_db.app() as conn:
        import_file(load_broker(conn, folder), path, Order("Live-4", "anna"))
    (folder / "std.toml").write_text(PLAN)
    return folder


def told(cli: Any, folder: Path, text: str, *options: object, name: str = "r.csv") -> Any:
    """Compare a report given as text; returns the JSON and the exit status."""
    path = folder / name
    path.write_text(text)
    ran = cli("compare", "legacy", path, *options, "--json")
    assert ran.status in (0, 1), ran.err
    return json.loads(ran.out, parse_float=pytest.fail) | {"status": ran.status}


def test_what_agrees_passes(cli: Any, books: Path) -> None:
    found = told(cli, books, GOOD + MASTER, "--from", "2026-03", "--to", "2026-03")
    assert (found["passes"], found["status"]) == (True, 0)
    assert found["partners"][1] == {
        "partner": "P-2", "currency": "USD", "legacy": "3.50", "ours": "3.50",
        "difference": "0.00", "percent": "0.0000", "known": True, "passes": True,
    }  # fmt: skip
    assert found["partners"][0]["percent"] == "0.0142"
    assert found["tickets"]["same"] == 3


def test_the_tolerance_is_not_reached_by_less(cli: Any, books: Path) -> None:
    # 0.1 % of 3.50 is 0.0035: a difference of as much does not pass.
    assert told(cli, books, "partner,amount,currency\nP-2,3.5035,USD\nP-1,0.23333333,USD\n")[
        "passes"
    ]
    edge = told(cli, books, "partner,amount,currency\nP-2,1.00,USD\nP-1,0.23333333,USD\n",
                "--tolerance", "250")  # fmt: skip
    assert (edge["partners"][1]["percent"], edge["passes"]) == ("250.0000", False)
    assert told(cli, books, "partner,amount,currency\nP-2,1.00,USD\nP-1,0.23333333,USD\n",
                "--tolerance", "250.1")["passes"]  # fmt: skip


def test_the_biggest_differences_say_why(cli: Any, books: Path) -> None:
    text = HEADER + (
        "P-2,1,Live-4,0.70,USD\nP-2,2,Live-4,1.00,USD\nP-2,3,Live-4,9.00,USD\n"
        "P-2,99,Live-4,8.00,USD\nP-7,1,Live-4,7.00,USD\nP-1,,,0.2333,USD\n"
    )
    found = told(cli, books, text)
    assert (found["passes"], found["status"]) == (False, 1)
    rows = {(one["partner"], one["ticket"]): one for one in found["tickets"]["biggest"]}
    waits = rows["P-2", 3]
    assert (waits["what"], waits["legacy"], waits["ours"]) == ("missing here", "9.00", None)
    assert "it waits, no rate fits the symbol" in waits["why"]
    assert rows["P-2", 99]["why"] == "no trade 99 on server Live-4 is stored: import it"
    assert "P-7 is not known here" in rows["P-7", 1]["why"]
    other = rows["P-2", 1]
    assert (other["what"], other["difference"]) == ("other amount", "-0.20")
    assert "5.00 USD" in other["why"]
    assert rows["P-2", 4]["what"] == "missing there"
    ranked = [(one["partner"], one["ticket"]) for one in found["tickets"]["biggest"]]
    assert ranked[:3] == [("P-7", 1), ("P-2", 3), ("P-2", 99)], "P-7's is all of his sum"
    assert found["tickets"]["differing"] == 5, "P-1 is told by his sum alone"
    assert not {one["partner"]: one for one in found["partners"]}["P-7"]["known"]


def test_a_mapping_and_other_columns(cli: Any, books: Path) -> None:
    (books / "map.toml").write_text(
        'decimal = ","\n[columns]\npartner = "IB"\nticket = "Order"\namount = "Comm."\n'
        '[constants]\ncurrency = "USD"\n[values.partner]\n"17" = "P-2"\n'
    )
    text = "IB;Order;Comm.;line\n17;1;0,50;x\n17;2;1,00;x\n17;4;2,00;x\nP-1;;0,23333333;\n"
    found = told(cli, books, text, "--mapping", books / "map.toml")
    assert (found["passes"], found["tickets"]["same"]) == (True, 3)
    as_json = [{"partner": "P-2", "amount": 3.50, "currency": "usd"},
               {"partner": "P-1", "amount": "0.23333333", "currency": "USD"}]  # fmt: skip
    assert told(cli, books, json.dumps(as_json), name="r.json")["passes"]


def test_against_a_plan(cli: Any, books: Path) -> None:
    (books / "new.toml").write_text(PLAN.replace('"5.00"', '"6.00"'))
    text = GOOD.replace("0.50", "0.60").replace("1.00", "1.20").replace("2.00", "2.40") + MASTER
    plan = ("--plan", books / "new.toml")
    assert told(cli, books, text, *plan)["passes"]
    found = told(cli, books, GOOD + MASTER, *plan)
    assert not found["passes"]
    assert "6.00 USD" in found["tickets"]["biggest"][0]["why"]
    assert told(cli, books, text, *plan, "--before-go-live", "--server", "Live-4")["passes"]


def test_rows_that_cannot_be_read_do_not_pass(cli: Any, books: Path) -> None:
    bad = "P-2,x,Live-4,1.00,USD\nP-2,5,Live-4,much,USD\n,5,Live-4,1,USD\nP-2,5,Live-4,1,dollar!\n"
    found = told(cli, books, GOOD + MASTER + bad + "P-2,5\n")
    assert not found["passes"]
    assert [(one["line"], one["code"]) for one in found["refused"]] == [
        (6, "bad_ticket"), (7, "bad_amount"), (8, "bad_partner"), (9, "bad_currency"),
        (10, "cell_count"),
    ]  # fmt: skip


def test_in_words_and_as_csv(cli: Any, books: Path) -> None:
    (books / "r.csv").write_text(GOOD.replace("2.00", "3.00") + MASTER)
    ran = cli("compare", "legacy", books / "r.csv", "--csv", books / "out.csv")
    assert ran.status == 1
    assert "Live-4 4, P-2: other amount, -1.00 USD" in ran.out
    assert "The parallel run does not pass (tolerance 0.1 % per partner)" in ran.out
    assert (books / "out.csv").read_text().splitlines()[-1] == (
        "P-2,USD,4.50,3.50,-1.00,22.2222,no"
    )


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ("[columns]\npartner = 1\n", "columns.partner: 1 is no text"),
        ("[colums]\n", "key colums: is unknown (did you mean columns?)"),
        ('[columns]\npartner = "a"\n', "amount, currency must be given"),
        ('[columns]\npartner = "a"\namount = "b"\ncurrency = "c"\nlots = "d"\n', "columns.lots"),
        ('decimal = ";"\n[columns]\npartner="a"\namount="b"\ncurrency="c"\n', "key decimal"),
        ('[columns]\npartner="a"\n[constants]\npartner="b"\n', "is in [columns] already"),
        ('[columns]\npartner="IB"\namount="amount"\ncurrency="currency"\n', "has no column 'IB'"),
        ("[columns\n", "is no TOML file"),
    ],
)
def test_mappings_that_do_not_fit(cli: Any, books: Path, mapping: str, sentence: str) -> None:
    (books / "bad.toml").write_text(mapping)
    (books / "r.csv").write_text(GOOD)
    ran = cli("compare", "legacy", books / "r.csv", "--mapping", books / "bad.toml")
    assert ran.status == 1
    assert sentence in ran.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "has no column 'partner' for partner"),
        ("partner,amount,amount,currency\n", "column amount is there twice"),
        ("[1, 2", "not valid JSON"),
        ('{"a": 1}', "has to be a list of objects"),
        ("PK\x03\x04", "save it as CSV"),
    ],
)
def test_reports_that_are_none(cli: Any, books: Path, text: str, sentence: str) -> None:
    (books / "none.csv").write_text(text)
    ran = cli("compare", "legacy", books / "none.csv")
    assert ran.status == 1
    assert sentence in ran.err


def test_options_that_do_not_fit(cli: Any, books: Path) -> None:
    (books / "r.csv").write_text(GOOD)
    for options, sentence in (
        (("--tolerance", "none"), "--tolerance"), (("--tolerance", "0"), "above zero"),
        (("--server", "X"), "no server X"), (("--before-go-live",), "needs --plan"),
        (("--from", "2026-04", "--to", "2026-03"), "is after --to"),
    ):  # fmt: skip
        ran = cli("compare", "legacy", books / "r.csv", *options)
        assert ran.status in (1, 2)
        assert sentence in ran.err


def test_the_biggest_are_so_by_their_share_whatever_the_currency() -> None:
    sums = _Sums()
    sums.legacy.update({("P-JP", "JPY"): 10_000_000, ("P-US", "USD"): 100})
    sums.ours.update({("P-NEW", "JPY"): 99_000_000})
    columns = ["partner", "currency", "server", "ticket", "legacy", "ours"]
    _note(sums, pl.DataFrame([
        ("P-NEW", "JPY", "", 1, None, 99_000_000), ("P-JP", "JPY", "", 2, 10_000_000, 9_000_000),
        ("P-US", "USD", "", 3, 60, 10), ("P-US", "USD", "", 4, 40, 35),
    ], schema=columns, orient="row"))  # fmt: skip
    assert [row["ticket"] for row in _biggest(sums, 9)] == [3, 2, 4, 1]
