"""Take turns, note rates, and say what came out as ratios of medians."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

Runner = Callable[[], float]  # does its work once and returns its rate, mostly trades a second


@dataclass
class Race:
    """What each runner's rates were, round by round."""

    rates: dict[str, list[float]] = field(default_factory=dict)

    def of(self, name: str) -> float:
        """Return a runner's median rate."""
        return median(self.rates[name])

    def ratio(self, name: str, beside: str) -> float:
        """Return one runner's median rate as a multiple of another's."""
        return self.of(name) / self.of(beside)


@dataclass(frozen=True)
class Result:
    """One line of the report: a ratio, what it should be, and what keeps it from being more."""

    goal: int
    what: str
    beside: str
    rate: float
    beside_rate: float
    ratio: float
    target: float
    unit: str = "trades/s"
    percent: bool = True
    limit: str = ""
    at_most: bool = False

    @property
    def reached(self) -> bool:
        """Say whether the goal was reached in this run."""
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target


def race(runners: Mapping[str, Runner], rounds: int, say: Callable[[str], None]) -> Race:
    """Let all run once per round; each round begins with another, so that none is always first."""
    names = list(runners)
    result = Race({name: [] for name in names})
    for number in range(rounds):
        turn = names[number % len(names) :] + names[: number % len(names)]
        for name in turn:
            rate = runners[name]()
            result.rates[name].append(rate)
            say(f"  round {number + 1}: {name} {rate:,.0f}/s")
    return result


def beside(
    run: Race, goal: int, name: str, other: str, target: float, *, limit: str = "",
    percent: bool = True, unit: str = "trades/s",
) -> Result:  # fmt: skip
    """Return the result of one runner beside another."""
    return Result(goal, name, other, run.of(name), run.of(other), run.ratio(name, other), target,
                  unit, percent, limit)  # fmt: skip


def show(results: list[Result], heading: str) -> None:
    """Print the results as a table."""
    table = Table(title=heading, title_justify="left")
    for name in ("goal", "what", "its rate", "beside", "rate of that", "ratio", "wanted", "limit"):
        table.add_column(name, overflow="fold")
    for one in results:
        sign = "<=" if one.at_most else ">="
        table.add_row(
            str(one.goal) if one.goal else "-",
            one.what,
            f"{one.rate:,.0f} {one.unit}",
            one.beside,
            f"{one.beside_rate:,.0f} {one.unit}",
            _written(one.ratio, one.percent),
            f"{sign} {_written(one.target, one.percent)}{'' if one.reached else '  missed'}"
            if one.target else "-",
            one.limit,
        )  # fmt: skip
    Console(width=150).print(table)


def as_json(results: list[Result], races: Mapping[str, Race]) -> dict[str, Any]:
    """Return everything measured, for a file."""
    return {
        "results": [{**asdict(one), "reached": one.reached} for one in results],
        "rates": {name: run.rates for name, run in races.items()},
    }


def _written(ratio: float, percent: bool) -> str:
    return f"{ratio:.1%}" if percent else f"{ratio:,.2f} x"
