"""`pipshare explain` for families other than per lot: the words, and that the books agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cli_files
import pytest

from pipshare.pipeline.files import Order, import_file

PLAN = """
[programme]
code = "std"
currency = "USD"
levels = 2

[[component]]
code = "fee"
basis = "commission"
mode = "difference"
[[component.rate]]
level = 1
share = "30%"
[[component.rate]]
level = 2
share = "50%"

[[component]]
code = "volume"
basis = "notional"
mode = "percent_of_child"
[component.when]
min_points = "30"
[[component.rate]]
per_million = "25"
[[component.split]]
level = 2
share = "20%"

[[component]]
code = "spread"
basis = "spread"
mode = "per_level"
[[component.rate]]
level = 1
share = "10%"
"""


@pytest.fixture(scope="module")
def books(module_db: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small broker under another plan, with one trade."""
    folder = tmp_path_factory.mktemp("families")
    with module_db.app() as conn, pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli_files, "PLAN", PLAN)
        run = cli_files.load_broker(conn, folder)
        (folder / "one.csv").write_text(cli_files.MANAGER_HEADER + cli_files.manager_row(1, "0.50"))
        import_file(run, folder / "one.csv", Order("Live-4", "anna"))
    return folder


def test_every_line_is_explained_and_the_books_agree(cli: Any, books: Path) -> None:
    found = json.loads(cli("explain", "1", "--json").out, parse_float=pytest.fail)
    assert found["agrees"] is True
    told = [(x["component"], x["level"], x["amount"], x["reason"], x["waits"])
            for x in found["lines"]]  # fmt: skip
    assert told == [
        ("fee", 1, "0.21", "paid", None),
        ("fee", 2, "0.14", "paid", None),
        ("volume", 1, "1.37625", "paid", None),
        ("volume", 2, "0.27525", "paid", None),
        ("spread", 1, "0.00", "paid", "no_quote"),
    ]


def test_a_difference_is_told_in_one_sentence(cli: Any, books: Path) -> None:
    found = json.loads(cli("explain", "1", "--json").out, parse_float=pytest.fail)
    steps = {step["step"]: step["value"] for step in found["lines"][1]["working"]}
    assert steps["in words"] == (
        "0.70 USD x 50 % = 0.35 USD; P-2 already took 0.21 USD; your difference 0.14 USD"
    )
    assert "your difference 0.14 USD" in " ".join(cli("explain", "1").out.split())
