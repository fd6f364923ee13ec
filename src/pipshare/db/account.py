"""The account that runs the embedded server when we are root, which postgres refuses to be.

An unprivileged account that exists already is used; no folder is opened to it. The cluster is
handed over as an open descriptor (/proc/self/fd/N), so the folders above it, a /root of mode 0700
for instance, stay closed. Programs that the account cannot reach are copied, once per version, to
a folder of root's that it can read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipshare.db.binaries import Binaries
from pipshare.errors import Unavailable

_PREFERRED = ("pipshare", "postgres", "nobody", "daemon")
_CACHES = ("/var/cache/pipshare", "/var/lib/pipshare", "/opt/pipshare")
_NEEDED = ("postgres", "initdb")


@dataclass(frozen=True)
class Account:
    """A user and group id with the name; all three of an existing entry of passwd."""

    uid: int
    gid: int
    name: str


def choose(cluster: Path) -> Account | None:
    """Return the account that runs the server, None for ourselves (we are not root).

    A cluster that exists keeps the account that owns it. Raises Unavailable when we are not root
    and the cluster is somebody else's, or when no unprivileged account exists.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise Unavailable(
                "other_owner",
                f"{cluster} belongs to user id {owner}, who ran pipshare there first: run it as "
                "root or choose another folder with PIPSHARE_DATA",
            )
        return None
    for key in (owner, *_PREFERRED):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(key) if isinstance(key, str) else pwd.getpwuid(key or 0)
            if entry.pw_uid != 0:
                return Account(entry.pw_uid, entry.pw_gid, entry.pw_name)
    raise Unavailable(
        "no_account",
        "postgres refuses to run as root and there is no account postgres or nobody: create one "
        "(useradd --system pipshare) or run pipshare as another user",
    )


def reachable(binaries: Binaries, account: Account | None) -> Binaries:
    """Return binaries that `account` can run: the same, or a copy in a folder of root's."""
    if account is None or all(_runs(p, account) for p in (binaries.postgres, binaries.initdb)):
        return binaries
    source = binaries.folder.parent
    stamp = (binaries.folder / "postgres").stat()
    mark = f"{source}:{stamp.st_size}:{stamp.st_mtime_ns}"
    name = f"postgresql-{binaries.major}-{hashlib.sha256(mark.encode()).hexdigest()[:12]}"
    for place in _places():
        with contextlib.suppress(OSError):
            copy = Binaries(_copy(source, place, name), binaries.major)
            if _runs(copy.postgres, account) and _runs(copy.initdb, account):
                return copy
    raise Unavailable(
        "unreachable_postgres",
        f"the account {account.name}, which has to run postgres, can read neither {source} nor a "
        f"copy under {_CACHES[0]}: set PIPSHARE_POSTGRES_BIN to a folder that it can read",
    )


def _places() -> Iterator[Path]:
    """Where a copy may go; the last is a new folder, as nobody else can have made it."""
    yield from map(Path, _CACHES)
    yield Path(tempfile.mkdtemp(prefix="pipshare-programs-"))


def _runs(program: str, account: Account) -> bool:
    try:
        ran = subprocess.run(
            [program, "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return ran.returncode == 0


def _copy(source: Path, place: Path, name: str) -> Path:
    """Copy what a server needs (20 MB) under `place`, whole or not at all; return its programs.

    A wheel keeps its libraries beside the package, in NAME.libs, found relative to the programs.
    """
    place.mkdir(parents=True, exist_ok=True)
    if place.stat().st_uid != 0 or place.stat().st_mode & 0o022:
        raise PermissionError(f"{place} can be written by others")
    place.chmod(0o755)
    done, package = place / name, source.parent
    programs = done / package.name / source.name / "bin"
    if done.exists():
        return programs
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=place))
    try:
        target = made / package.name / source.name
        (target / "bin").mkdir(parents=True)
        for program in _NEEDED:
            shutil.copy2(source / "bin" / program, target / "bin" / program)
        shutil.copytree(source / "share", target / "share", ignore=shutil.ignore_patterns("doc"))
        unused = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig")
        shutil.copytree(source / "lib", target / "lib", ignore=unused)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, made / libraries.name)
        _open_to_read(made)
        made.rename(done)
    except OSError:
        if not done.exists():  # another process may have been first
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return programs


def _open_to_read(root: Path) -> None:
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder) / file
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
