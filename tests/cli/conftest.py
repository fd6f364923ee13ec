"""Fixtures of the command line's tests: the program in this process, on a test's database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli_files import load_broker

from pipshare.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command answered: exit status, standard output, standard error."""

    status: int
    out: str
    err: str


Cli = Callable[..., Ran]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return a function that runs `pipshare ARGUMENTS` as the installed program does."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        status: Any = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code or 0
        told = capsys.readouterr()
        return Ran(int(status), told.out, told.err)

    return run


@pytest.fixture
def broker(db: Any, tmp_path: Path) -> Path:
    """A loaded broker of one client and two partners; gives the folder for a test's files."""
    with db.app() as conn:
        load_broker(conn, tmp_path)
    return tmp_path
