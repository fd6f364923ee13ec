"""The object of `import --check --json`: its keys, its strings, and the samples as oracles."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipshare.facts import DEAL, TRADE
from pipshare.sources.files import check
from pipshare.sources.files.check import KEYS, summary
from pipshare.sources.reading import OPERATOR, Chunk, Meta, Reading

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "metatrader"
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the sample exports are not part of the project"
)

ORACLES: dict[str, dict[str, Any]] = {
    "mt4_manager_deals_comma_cent.csv": {
        "format": "mt4_manager", "encoding": "utf-8", "account": None, "currency": None,
        "closed_trades": 8, "lots": "0.17", "commission": "0.00", "swap": "0.00",
        "closed_pl_printed": None, "closed_pl_summed": "36.70", "balance_rows": 3, "cancelled": 4,
        "compaction_rows": 0, "refused": [], "error": None,
    },
    "mt4_manager_raw_report_semicolon.csv": {
        "format": "mt4_manager", "encoding": "utf-8", "account": None, "currency": None,
        "closed_trades": 3, "lots": "0.08", "commission": "-0.69", "swap": "0.00",
        "closed_pl_printed": "-1899.71", "closed_pl_summed": "-16.66", "balance_rows": 2,
        "cancelled": 2, "compaction_rows": 0, "refused": [], "error": None,
    },
    "mt5_sql_export_deals.sql": {
        "format": "mt5_sql", "encoding": "utf-8", "account": None, "currency": None,
        "closed_trades": 4, "lots": "4.00", "commission": "0.00", "swap": "0.00",
        "closed_pl_printed": None, "closed_pl_summed": "-161.07", "balance_rows": 1,
        "cancelled": 0, "compaction_rows": 0, "refused": [], "error": None,
    },
    "prop_firm_journal.csv": {
        "format": "journal", "encoding": "utf-8", "account": None, "currency": None,
        "closed_trades": 3, "lots": "20.01", "commission": "-16.54", "swap": "0.00",
        "closed_pl_printed": None, "closed_pl_summed": "485.87", "balance_rows": 0,
        "cancelled": 0, "compaction_rows": 0, "refused": [], "error": None,
    },
}  # fmt: skip
# From the samples' own README: closed trades and the P/L that each statement prints.
STATEMENTS = {
    "mt4_detailed_utf8_spanish.htm": (23, "88.72"),
    "mt4_detailed_suffix_commission.htm": (112, "54.68"),
    "mt4_detailed_cp1251.htm": (73, "8215.66"),
    "mt4_detailed_cp932_japanese.htm": (5, "967.00"),
    "mt4_statement_financing_rows.htm": (35, "-4401.60"),
    "mt4_statement_cancelled_orders.htm": (42, "99.31"),
}


@needs_samples
@pytest.mark.parametrize("name", ORACLES)
def test_samples_are_read_to_the_last_digit(name: str) -> None:
    found = summary(SAMPLES / name)
    assert found == {"file": str(SAMPLES / name), **ORACLES[name]}
    assert tuple(found) == KEYS


@needs_samples
@pytest.mark.parametrize("name", STATEMENTS)
def test_statements_reach_the_profit_they_print(name: str) -> None:
    found = summary(SAMPLES / name)
    closed, profit = STATEMENTS[name]
    assert (found["closed_trades"], found["closed_pl_summed"]) == (closed, profit)
    assert found["closed_pl_printed"] == profit
    assert (found["refused"], found["error"]) == ([], None)


@needs_samples
def test_the_mt5_report_counts_its_closing_deals() -> None:
    found = summary(SAMPLES / "mt5_report_history_hedge.xlsx")
    assert (found["closed_trades"], found["format"]) == (9, "mt5_report")


@pytest.mark.parametrize("text", ["", "hello", "<html><frameset cols='1'></frameset></html>"])
def test_a_refused_file_has_a_sentence_and_nothing_else(tmp_path: Path, text: str) -> None:
    path = tmp_path / "file.xls"
    path.write_text(text)
    found = summary(path)
    assert tuple(found) == KEYS
    assert found["error"]
    assert found["file"] == str(path)
    assert {found[key] for key in KEYS if key not in ("file", "error")} == {None}
    json.dumps(found)


def test_a_file_that_is_not_there_is_refused_too(tmp_path: Path) -> None:
    assert "does not exist" in summary(tmp_path / "nothing.csv")["error"]


def row(schema: dict[str, Any], **cells: Any) -> pl.DataFrame:
    base = dict.fromkeys(schema, 1) | {"symbol": "EURUSD"}
    return pl.DataFrame([base | cells], schema=schema)


def checked(monkeypatch: pytest.MonkeyPatch, *chunks: Chunk) -> dict[str, Any]:
    meta = Meta("mapped", "utf-8", "mt5", OPERATOR)
    reading = Reading(meta, lambda: iter(chunks))
    monkeypatch.setattr(check, "read", lambda *_, **__: reading)
    return summary(Path("x"))


@pytest.mark.parametrize(
    ("entry", "closed", "volume", "lots"),
    [(1, 5, 5, "0.00000005"), (1, 0, 7, "0.00000007"), (2, 3, 8, "0.00000003"),
     (2, 0, 8, "0.00000008"), (3, 4, 4, "0.00000004")],
)  # fmt: skip
def test_closing_deals_count_what_they_closed(
    monkeypatch: pytest.MonkeyPatch, entry: int, closed: int, volume: int, lots: str
) -> None:
    deal = row(DEAL, deal=5, action=0, entry=entry, closed_e8=closed, volume_e8=volume)
    others = [row(DEAL, action=1, entry=0), row(DEAL, action=2), row(DEAL, action=13)]
    found = checked(monkeypatch, *(Chunk(deals=frame) for frame in (deal, *others)))
    assert (found["closed_trades"], found["lots"], found["balance_rows"]) == (1, lots, 1)


def test_a_closing_deal_that_is_a_trade_already_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chunk = Chunk(row(TRADE, ticket=5), deals=row(DEAL, deal=5, action=0, entry=1))
    assert checked(monkeypatch, chunk)["closed_trades"] == 1


def test_sums_do_not_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = 2**62
    big = row(TRADE, profit_e8=huge, commission_e8=0, fee_e8=0, swap_e8=0)
    found = checked(monkeypatch, Chunk(pl.concat([big, big, big])))
    assert found["closed_pl_summed"] == f"{Decimal(3 * huge).scaleb(-8):f}"
