"""Published terms with other numbers: worked out by hand, held to kernel and twin."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_examples_twin import _told

from pipshare.money import from_e8
from pipshare.pipeline.from_files import Files, rate_files
from pipshare.pipeline.from_files.twin import rate_by_hand

HEAD = '[programme]\ncode = "case"\ncurrency = "USD"\nlevels = 3\n'
SYMBOLS = [{"symbol": "EURUSD", "symbol_group": "forex", "digits": 5, "contract_size": 100_000,
            "currency": "USD"}]  # fmt: skip
Row = Mapping[str, Any]


def component(basis: str, rest: str, mode: str = "per_level", code: str = "c") -> str:
    return f'[[component]]\ncode = "{code}"\nmode = "{mode}"\nbasis = "{basis}"\n{rest}\n'


def trade(day: str, lots: str = "1", **more: Any) -> Row:
    return {"lots": lots, "close_time": f"{day} 10:00:00"} | more


def deposit(client: str, day: str, amount: str) -> Row:
    return {"kind": "deposit", "at": f"{day}T10:00:00Z", "client": client, "amount": amount,
            "currency": "USD"}  # fmt: skip


def registered(client: str, at: str) -> Row:
    return {"kind": "registration", "at": at, "client": client}


LOTS = "rate = [{ level = 1, amount = 10 }]"
CPA = 'event = "qualified"\nqualify = { first_deposit = 100 }\n'
STEPS = CPA + 'tier = { measure = "deposits" }\n'
TWO_STEPS = STEPS + ("rate = [{ level = 1, from = 100, amount = 50 }, "
                     "{ level = 1, from = 500, amount = 100 }]")  # fmt: skip
# What it is about: plan, trades, events, and what comes of it by period, partner and component.
CASES: dict[str, tuple[str, Sequence[Row], Sequence[Row], dict[str, str]]] = {
    "25 per million at the opening": (
        component("notional", 'sides = "open"\nrate = [{ level = 1, per_million = 25 }]'),
        [trade("2026-03-03", "2", open_price="1.10000", close_price="1.20000")], [],
        {"2026-03/A/c": "5.5"}),
    "thirty days back": (
        component("lot", 'tier = { measure = "lots", window = "rolling", length = 30, unit = "day",'
                  ' method = "retroactive" }\nrate = [{ level = 1, amount = 5 }, '
                  "{ level = 1, from = 10, amount = 7 }]"),
        [trade("2026-03-01", "6"), trade("2026-03-20", "5"), trade("2026-04-04", "2")], [],
        {"2026-03-01/A/c": "30", "2026-03-20/A/c": "35", "2026-04-04/A/c": "10"}),
    "a quarter of grace": (
        component("lot", 'tier = { measure = "lots", window = "quarter", method = "retroactive", '
                  "grace = 1 }\nrate = [{ level = 1, amount = 3 }, "
                  "{ level = 1, from = 100, amount = 5 }]"),
        [trade("2026-02-01", "120"), trade("2026-05-20", "50"), trade("2026-08-04", "60")], [],
        {"2026-02/A/c": "600", "2026-05/A/c": "250", "2026-08/A/c": "180"}),
    "five business days from a Friday": (
        component("fixed", 'event = "qualified"\nqualify = { lots = 1, within_days = 5, '
                  'calendar = "business" }\n' + LOTS),
        [trade("2026-03-13"), trade("2026-03-14", login=1002)],
        [registered("C1", "2026-03-06T10:00:00Z"), registered("C2", "2026-03-06T10:00:00Z")],
        {"2026-03/A/c": "10"}),
    "fifty a week": (
        component("lot", 'cap = [{ amount = 50, per = "partner_week" }]\n' + LOTS),
        [trade("2026-03-02", "3"), trade("2026-03-08", "3"), trade("2026-03-09", "4")], [],
        {"2026-W10/A/c": "50", "2026-W11/A/c": "40"}),
    "five lots of a client and day": (
        component("lot", 'cap = [{ amount = 5, unit = "lots", per = "client_day" }]\n' + LOTS),
        [trade("2026-03-02", "3"), trade("2026-03-02", "3"), trade("2026-03-03", "4")], [],
        {"2026-03-02/A/c": "50", "2026-03-03/A/c": "40"}),
    "one step up a month": (
        component("lot", 'tier = { measure = "lots", method = "retroactive", '
                  'promotion = "stepwise" }\nrate = [{ level = 1, amount = 1 }, '
                  "{ level = 1, from = 10, amount = 2 }, { level = 1, from = 20, amount = 3 }]"),
        [trade("2026-03-05", "30"), trade("2026-04-05", "30"), trade("2026-05-05", "5")], [],
        {"2026-03/A/c": "60", "2026-04/A/c": "90", "2026-05/A/c": "5"}),
    "above the boundary only": (
        component("lot", 'tier = { measure = "lots", method = "retroactive", boundary = "above" }\n'
                  "rate = [{ level = 1, amount = 3 }, { level = 1, from = 100, amount = 5 }]"),
        [trade("2026-03-02", "100"), trade("2026-04-02", "100"), trade("2026-04-03", "0.01")], [],
        {"2026-03/A/c": "300", "2026-04/A/c": "500.05"}),
    "a year's band changes January": (
        component("lot", 'tier = { measure = "lots", window = "year", method = "retroactive" }\n'
                  "rate = [{ level = 1, amount = 3 }, { level = 1, from = 10, amount = 5 }]"),
        [trade("2026-01-02", "8"), trade("2026-02-03", "2")], [],
        {"2026-01/A/c": "24", "2026-02/A/c": "26"}),
    "steps by lots traded": (
        component("fixed", 'event = "trade"\ntier = { measure = "lots", method = "ladder" }\n'
                  "rate = [{ level = 1, from = 10, amount = 50 }, "
                  "{ level = 1, from = 50, amount = 300 }]"),
        [trade("2026-03-02", "10"), trade("2026-03-05", "45"), trade("2026-04-05", "5")], [],
        {"2026-03/A/c": "300"}),
    "a quarter of net losses": (
        component("loss", 'per = "month"\ncarry.negative = "reset"\n'
                  'rate = [{ level = 1, share = "25%" }]'),
        [trade("2026-03-05", profit="-400"), trade("2026-03-06", profit="100"),
         trade("2026-04-05", profit="100"), trade("2026-05-05", profit="-40")], [],
        {"2026-03/A/c": "75", "2026-05/A/c": "10"}),
    "two hours of two days": (
        component("lot", 'when = { hours = ["09:00-11:00"], weekdays = ["mon", "tue"] }\n' + LOTS),
        [trade("2026-03-02"), trade("2026-03-03"), trade("2026-03-04")], [],
        {"2026-03/A/c": "20"}),
    "passed upward by three": (
        component("lot", "rate = [{ level = 1, amount = 8 }]\nsplit = [{ level = 1, share = "
                  "'25%' }, { level = 2, share = '50%' }]", "share_up"),
        [trade("2026-03-02")], [],
        {"2026-03/A/c": "6", "2026-03/M/c": "1", "2026-03/T/c": "1"}),
    "a pot for each client": (
        component("fixed", CPA + "rate = [{ level = 1, amount = 300 }]\nsplit = [{ level = 1, "
                  "share = '80%' }, { level = 2, share = '20%' }]", "pot_split"),
        [], [deposit("C1", "2026-03-02", "100")], {"2026-03/A/c": "240", "2026-03/M/c": "60"}),
    "ten percent of each step": (
        component("fixed", TWO_STEPS + "\nsplit = [{ level = 2, share = '10%' }]",
                  "percent_of_child"),
        [], [deposit("C1", "2026-03-02", "100"), deposit("C1", "2026-04-02", "400")],
        {"2026-03/A/c": "50", "2026-03/M/c": "5", "2026-04/A/c": "50", "2026-04/M/c": "5"}),
    "five clients within a cap": (
        component("fixed", TWO_STEPS + '\ncap = [{ amount = 130, per = "partner_month" }]'),
        [], [deposit("C1", "2026-03-01", "100"), deposit("C2", "2026-03-02", "600")],
        {"2026-03/A/c": "130"}),
    "a share of deposits in bands": (
        component("deposits", 'per = "month"\ncurrency = "USD"\ntier = { measure = "value" }\n'
                  "rate = [{ level = 1, share = '1%' }, "
                  "{ level = 1, from = 10000, share = '2%' }]"),
        [], [deposit("C1", "2026-03-02", "15000")], {"2026-03/A/c": "200"}),
    "a quarter's bonus": (
        component("lot", LOTS) + component(
            "earned", 'per = "quarter"\ntier = { measure = "earned", '
                  'of_component = "c", window = "quarter", method = "retroactive" }\nrate = ['
                  "{ level = 1, share = '0%', of = 'c' }, "
                  "{ level = 1, from = 500, share = '5%', of = 'c' }]", code="b"),
        [trade("2026-01-02", "40"), trade("2026-03-02", "20")], [],
        {"2026-01/A/c": "400", "2026-03/A/c": "200", "2026-Q1/A/b": "30"}),
}  # fmt: skip
TREE = {
    "partners": [
        {"partner": "T"},
        {"partner": "M", "parent": "T"},
        {"partner": "A", "parent": "M"},
    ],
    "clients": [{"client": "C1", "partner": "A"}, {"client": "C2", "partner": "A"}],
    "accounts": [{"login": 1001, "client": "C1"}, {"login": 1002, "client": "C2"}],
    "terms": [{"partner": name, "programme": "case"} for name in ("T", "M", "A")],
}


def _written(path: Path, rows: Sequence[Row]) -> Path | None:
    if not rows:
        return None
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        out.writeheader()
        out.writerows(rows)
    return path


@pytest.mark.parametrize("case", CASES)
def test_it_comes_to_what_was_worked_out(case: str, tmp_path: Path) -> None:
    plan, trades, events, expected = CASES[case]
    (tmp_path / "plan.toml").write_text(HEAD + plan)
    (tmp_path / "tree.json").write_text(json.dumps(TREE))
    plain = {"login": 1001, "symbol": "EURUSD", "side": "buy"}
    files = Files(
        plans=[tmp_path / "plan.toml"], tree=tmp_path / "tree.json",
        symbols=_written(tmp_path / "symbols.csv", SYMBOLS),
        trades=_written(tmp_path / "trades.csv", [
            plain | {"ticket": n, "open_time": f"{row['close_time'][:10]} 09:00:00"} | row
            for n, row in enumerate(trades, 1)]),
        events=_written(tmp_path / "events.csv", [
            {"event": f"e{n}"} | row for n, row in enumerate(events)]),
    )  # fmt: skip
    result = rate_files(files)
    assert not result.refused
    assert not result.waiting
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in result.lines:
        found[f"{line.period}/{line.payee}/{line.component}"] += from_e8(line.amount_e8)
    assert {key: amount for key, amount in found.items() if amount} == {
        key: Decimal(amount) for key, amount in expected.items()
    }
    by_hand: dict[str, Decimal] = defaultdict(Decimal)
    for told in (one for by in rate_by_hand(files) for one in _told(by)):
        by_hand[f"{told.partner}/{told.component}"] += told.amount
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for key, amount in found.items():
        sums[key.partition("/")[2]] += amount
    assert {k: v for k, v in by_hand.items() if v} == {k: v for k, v in sums.items() if v}
