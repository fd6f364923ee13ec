"""Deposits beside the platform's balance operations: what matches, differs, or is no deposit."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_stories import E8, Pairs, told

from pipshare import inbox
from pipshare.cli.main import program
from pipshare.facts import CASH
from pipshare.period import HOUR_MS, from_ms
from pipshare.pipeline.deposits import compare_deposits
from pipshare.pipeline.deposits.matching import Money, Pair, match

START = 1_772_409_600_000  # 2 March 2026, 00:00 UTC
YEAR = 366 * 24 * HOUR_MS


@pytest.fixture
def pairs(ready: Any) -> Pairs:
    return ready(Pairs, 1, "P")


def move(pairs: Pairs, ticket: int, login: int, hours: int, kind: str, dollars: int,
         comment: str = "") -> None:  # fmt: skip
    row = {"ticket": ticket, "login": login, "time_ms": START + hours * HOUR_MS, "kind": kind,
           "amount_e8": dollars * E8, "comment": comment}  # fmt: skip
    inbox.store_cash(pairs.conn, 1, pl.DataFrame([row], schema=CASH), 0)
    pairs.conn.commit()


def deposit(event: str, day: str, amount: str, **more: Any) -> Any:
    return (0, told(event, "deposit", day, "A", amount=amount, currency="USD", **more))


def verdicts(found: list[Pair]) -> dict[str, tuple[str, str]]:
    """Return by the key of either side the verdict and why."""
    return {(pair.crm or pair.platform).key: (pair.verdict, pair.why) for pair in found}  # type: ignore[union-attr]


def test_the_report_as_finance_reads_it(pairs: Pairs) -> None:
    pairs.tell(
        deposit("tx-500", "03-02", "500"), deposit("tx-600", "03-04", "600"),
        deposit("tx-700", "03-06", "700"), deposit("tx-800", "03-08", "800"),
        (0, told("out-1", "withdrawal", "03-10", "A", amount="50", currency="USD")),
        (0, told("back-1", "deposit_reversed", "03-12", "A", reference="tx-500")),
        deposit("p-500", "03-02", "500", source="psp"),
    )  # fmt: skip
    move(pairs, 1, 1000, 12, "balance", 500, "wire")
    move(pairs, 2, 1000, 24 * 2, "deposit", 588, "deposit TX-600-0 less fee")
    move(pairs, 3, 1000, 24 * 4, "balance", 690, "card")
    move(pairs, 4, 1000, 24 * 8 + 11, "withdrawal", -50)
    move(pairs, 5, 1000, 24 * 10, "balance", -500, "chargeback")
    move(pairs, 6, 1000, 30, "credit", 500)
    move(pairs, 7, 1000, 31, "swap", -3)
    move(pairs, 12, 1000, 31, "fee", -20, "inactivity")
    move(pairs, 8, 1000, 40, "balance", -77)
    move(pairs, 9, 2000, 40, "balance", 77)
    move(pairs, 10, 2000, 41, "balance", 99)
    move(pairs, 11, 9999, 42, "balance", 12)
    pairs.relate("clients", "client,partner", "A-0,P-0")
    pairs.tell((0, told("same", "client_merged", "03-20", "B", other_client="A")))
    found = compare_deposits(pairs.conn, 1, START - YEAR, START + YEAR)
    assert verdicts(found.platform) == {
        "crm:tx-500-0": ("matched", "amount and time"),
        "crm:tx-600-0": ("amount_differs", "its reference"),
        "crm:tx-700-0": ("amount_differs", "nearly the amount, and time"),
        "crm:tx-800-0": ("only_crm", ""),
        "crm:out-1-0": ("matched", "amount and time"),
        "crm:back-1-0": ("matched", "amount and time"),
        "Live-4:6": ("no_deposit", "credit"),
        "Live-4:7": ("no_deposit", "swap"),
        "Live-4:12": ("no_deposit", "fee"),
        "Live-4:8": ("no_deposit", "internal transfer: the other side is on Live-4 2000"),
        "Live-4:9": ("no_deposit", "internal transfer: the other side is on Live-4 1000"),
        "Live-4:10": ("only_platform", ""),
        "Live-4:11": ("only_platform", "an account of nobody known"),
    }
    assert verdicts(found.sources) == {"crm:tx-500-0": ("matched", "amount and time")}
    assert found.counts()["platform"]["matched"] == 3


def test_our_own_payout_comes_back_as_a_balance_operation_and_is_recognised(pairs: Pairs) -> None:
    pairs.relate("partners", "partner,own_client", "P-0,A-0")
    pairs.conn.execute(
        "INSERT INTO payouts_payment (entity_id, partner_id, currency, amount_e8, reference,"
        " paid_on, transfer_id, recorded_by) SELECT 1, id, 'USD', %s, 'wire-77', '2026-03-03', 1,"
        " 'anna + ben' FROM partners_partner WHERE code = 'P-0'", (120 * E8,),
    )  # fmt: skip
    move(pairs, 1, 1000, 30, "balance", 120)
    move(pairs, 2, 2000, 30, "balance", 80, "IB payment WIRE-77")
    move(pairs, 3, 2000, 30, "balance", 120)
    found = compare_deposits(pairs.conn, 1, START - YEAR, START + YEAR)
    why = "our own payout wire-77 to P-0"
    assert verdicts(found.platform) == {
        "Live-4:1": ("no_deposit", why), "Live-4:2": ("no_deposit", why),
        "Live-4:3": ("only_platform", ""),
    }  # fmt: skip


def test_the_commands(pairs: Pairs) -> None:
    pairs.tell(deposit("tx-500", "03-02", "500"))
    move(pairs, 1, 1000, 12, "balance", 400, "wire")
    span = ["--from", "2026-01-01T00:00:00Z", "--to", "2026-12-01T00:00:00Z"]
    shown = CliRunner().invoke(program, ["deposits", "match", *span])
    assert "1 only crm, 1 only platform" in shown.output, shown.output
    told_of = json.loads(CliRunner().invoke(program, ["deposits", "match", *span, "--json"]).output)
    assert {one["verdict"] for one in told_of["platform"]} == {"only_crm", "only_platform"}
    assert told_of["platform"][0]["counts"]["amount"] == "500.00"
    said = CliRunner().invoke(program, [
        "deposits", "authority", "--fact", "money", "--source", "crm", "--reason", "x", "--by", "a",
    ])  # fmt: skip
    assert "Somebody else takes it up" in said.output.replace("\n", " ")
    shown = CliRunner().invoke(program, ["deposits", "authority"])
    assert "money of entity main was told by crm (1)" in shown.output


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_every_row_is_there_once_and_no_order_changes_anything(seed: int) -> None:
    rnd = Random(seed)

    def some(side: str) -> list[Money]:
        return [
            Money(START + rnd.randint(0, 90) * HOUR_MS, f"{side}{n}",
                  rnd.choice((100, 100, 95, -100, -40)) * E8, "USD", rnd.choice((1, 1, 2)),
                  rnd.choice(("Live 1", "Live 2")) if side == "p" else "",
                  (rnd.choice(("", "ref-1", "ref-2")),))
            for n in range(rnd.randint(0, 6))
        ]  # fmt: skip

    crm, platform = some("c"), some("p")
    first = match(crm, platform)
    for _ in range(3):
        rnd.shuffle(crm)
        rnd.shuffle(platform)
        assert match(crm, platform) == first
    assert sorted(pair.crm.key for pair in first if pair.crm) == sorted(one.key for one in crm)
    assert sorted(pair.platform.key for pair in first if pair.platform) == sorted(
        one.key for one in platform
    )
    for pair in first:
        if pair.crm and pair.platform:
            assert pair.crm.client == pair.platform.client
            assert (pair.crm.amount_e8 > 0) == (pair.platform.amount_e8 > 0)
    assert from_ms(START).day == 2
