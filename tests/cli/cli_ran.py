"""What a command of the program answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ran:
    """Exit status, standard output, standard error."""

    status: int
    out: str
    err: str


Cli = Callable[..., Ran]
