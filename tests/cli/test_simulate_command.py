"""`pipshare simulate` in words, JSON and CSV; and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_files import MANAGER_HEADER, PLAN, load_broker, manager_row

from pipshare.pipeline.files import Order, import_file


@pytest.fixture(scope="module")
def books(module_db: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two booked trades of 0.30 lots in all, and a plan that pays less to one, more to another."""
    folder = tmp_path_factory.mktemp("books")
    path = folder / "export.csv"
    path.write_text(MANAGER_HEADER + manager_row(1) + manager_row(2, "0.20"))
    with module_db.app() as conn:
        import_file(load_broker(conn, folder), path, Order("Live-4", "anna"))
    (folder / "new.toml").write_text(PLAN.replace('"5.00"', '"4.00"').replace('"1/3"', '"1.00"'))
    (folder / "std.toml").write_text(PLAN)
    return folder


def test_as_json(cli: Any, books: Path) -> None:
    ran = cli("simulate", "--plan", books / "new.toml", "--json")
    assert ran.status == 0
    found = json.loads(ran.out, parse_float=pytest.fail)
    assert (found["trades"], found["introduced"]) == (2, 2)
    assert found["partners"] == [
        {"partner": "P-1", "currency": "USD", "now": "0.10", "then": "0.30", "difference": "0.20"},
        {"partner": "P-2", "currency": "USD", "now": "1.50", "then": "1.20", "difference": "-0.30"},
    ]
    assert found["totals"] == [
        {"currency": "USD", "now": "1.60", "then": "1.50", "difference": "-0.10"}
    ]
    assert found["margin"] == [{
        "entity": "main", "currency": "USD", "revenue": "0.00",
        "paid": {"now": "1.60", "then": "1.50"}, "margin": {"now": "-1.60", "then": "-1.50"},
        "unknown": {"no_quote": 2},
    }]  # fmt: skip


def test_in_words_and_as_csv(cli: Any, books: Path) -> None:
    ran = cli("simulate", "--plan", books / "new.toml", "--csv", books / "out.csv")
    assert ran.status == 0
    assert "2 trades, 2 introduced; nothing was booked" in ran.out
    assert ran.out.index("Who wins") < ran.out.index("Who loses")
    assert "revenue of 2 trades is not known (no quote)" in ran.out
    assert (books / "out.csv").read_text().splitlines() == [
        "partner,currency,now,then,difference",
        "P-1,USD,0.10,0.30,0.20",
        "P-2,USD,1.50,1.20,-0.30",
    ]


def test_against_a_file_and_days(cli: Any, books: Path) -> None:
    both = ("--plan", books / "new.toml", "--against", books / "new.toml", "--json")
    found = json.loads(cli("simulate", *both).out)
    assert {one["difference"] for one in found["partners"]} == {"0.00"}
    plan = ("simulate", "--plan", books / "std.toml", "--json")
    assert json.loads(cli(*plan, "--from", "2026-03", "--to", "2026-03").out)["trades"] == 2
    assert json.loads(cli(*plan, "--from", "2026-03-03").out)["trades"] == 0
    assert json.loads(cli(*plan, "--to", "2026-02").out)["trades"] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "soon"), "is no day such as 2026-11-23"),
        (("--from", "2026-13"), "is no day such as 2026-11-23"),
        (("--server", "X"), "there is no server X; known: Live-4, Live-5"),
        (("--partner", "P-9"), "P-9"),
        (("--against", "gone.toml"), "gone.toml is not a file"),
        (("--against", "CURRENT", "--against", "gone.toml"), "not both"),
        (("--from", "2026-03-02", "--to", "2026-03-01"), "is after --to"),
    ],
)
def test_what_is_refused(cli: Any, books: Path, arguments: Any, sentence: str) -> None:
    ran = cli("simulate", "--plan", books / "std.toml", *arguments)
    assert ran.status in (1, 2)
    assert sentence in ran.err
