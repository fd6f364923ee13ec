"""The examples as files: what each expects, and how a result is held to it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pipshare.pipeline.from_files import Files

ROOT = Path(__file__).parents[2] / "examples"
CASES = sorted(folder.name for folder in ROOT.iterdir() if (folder / "expected.csv").is_file())


@dataclass(frozen=True)
class Told:
    """A line of some way of rating, as far as examples speak of it."""

    trade: str
    period: str
    partner: str
    component: str
    amount: Decimal
    currency: str
    reason: str


@dataclass(frozen=True)
class Stands:
    """What may be paid to a partner now, and what is carried forward (below zero: owed)."""

    payable: Decimal = Decimal(0)
    carried: Decimal = Decimal(0)


def files_of(case: str) -> Files:
    """Return the files of an example as `pipshare rate` is given them."""
    folder = ROOT / case

    def maybe(name: str) -> Path | None:
        return folder / name if (folder / name).is_file() else None

    return Files(
        plans=sorted(folder.glob("plan*.toml")), tree=folder / "tree.json",
        trades=maybe("trades.csv"), events=maybe("events.csv"), symbols=maybe("symbols.csv"),
        quotes=maybe("quotes.csv"), fx=maybe("fx.csv"),
    )  # fmt: skip


def expected(case: str) -> list[dict[str, str]]:
    """Return the rows of expected.csv."""
    with (ROOT / case / "expected.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def differences(
    case: str, lines: Iterable[Told], stands: Mapping[tuple[str, str], Stands] | None
) -> list[str]:
    """Return in words where lines, payables and balances are not what the example expects.

    A row of expected.csv speaks of the sum of the lines that agree with all that it names. Lines
    without a period (of a whole life) are held to the sums over all periods only.
    """
    told, wrong = list(lines), []
    for row in expected(case):
        named = {name: row[name] for name in ("trade", "period", "partner", "component")
                 if row.get(name)}  # fmt: skip
        if "period" in named and any(not line.period for line in told):
            continue
        mine = [line for line in told if all(getattr(line, name) == value
                                             for name, value in named.items())]  # fmt: skip
        total = sum((line.amount for line in mine), Decimal(0))
        if total != Decimal(row["amount"]) or any(
            line.currency != row["currency"] for line in mine
        ):
            wrong.append(f"{named}: expected {row['amount']} {row['currency']}, is {total}")
        reasons = {line.reason for line in mine}
        if row.get("reason") and reasons != {row["reason"]}:
            wrong.append(f"{named}: expected reason {row['reason']}, is {reasons}")
        if stands is not None:
            found = stands.get((row["partner"], row["currency"]), Stands())
            for name in ("payable", "carried"):
                is_ = getattr(found, name)
                if row.get(name) and is_ != Decimal(row[name]):
                    wrong.append(f"{named}: expected {row[name]} {name}, is {is_}")
    return wrong
