"""What is wrong with a plan file: every problem with its line, collected before any is raised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from pipshare.errors import BadInput

MOST_SHOWN = 20


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to change, at one line of the file (from 1)."""

    line: int
    text: str


class BadPlan(BadInput):
    """A plan file that cannot be used. `problems` holds all that was found, by line."""

    def __init__(self, filename: str, problems: Iterable[Problem]) -> None:
        self.filename = filename
        self.problems = tuple(sorted(set(problems)))
        shown = [f"{filename}:{p.line}: {p.text}" for p in self.problems[:MOST_SHOWN]]
        if len(self.problems) > MOST_SHOWN:
            shown.append(f"... and {len(self.problems) - MOST_SHOWN} more")
        super().__init__("bad_plan", "\n".join(shown))


class Problems:
    """The problems found so far in one file."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.found: list[Problem] = []

    def add(self, line: int, text: str) -> None:
        """Note one problem."""
        self.found.append(Problem(line, text))

    def raise_any(self) -> None:
        """Raise BadPlan with all problems when there is one."""
        if self.found:
            raise BadPlan(self.filename, self.found)


def quoted(values: Iterable[str]) -> str:
    """Return values for a sentence: "wait", "pay"."""
    return ", ".join(f'"{value}"' for value in values)


def suggestion(wrong: str, allowed: Iterable[str]) -> str:
    """Return ` did you mean "x"?` for the nearest allowed word, or nothing."""
    plain = {word.casefold(): word for word in allowed}
    near = get_close_matches(wrong.casefold(), list(plain), n=1)
    return f' did you mean "{plain[near[0]]}"?' if near else ""
