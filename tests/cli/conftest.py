"""Fixtures of the command line's tests: the program in this process, on a test's database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cli_files import load_broker
from cli_ran import Cli, Ran

from pipshare.cli import main


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
def broker(templates: Any, tmp_path: Path) -> Iterator[Path]:
    """A loaded broker of one client and two partners; gives the folder for a test's files."""
    with templates.copy("cli_broker", _loaded) as database:
        for name, content in database.made.items():
            (tmp_path / name).write_bytes(content)
        yield tmp_path


def _loaded(database: Any) -> dict[str, bytes]:
    with database.app() as conn, TemporaryDirectory() as folder:
        load_broker(conn, Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}
