"""The settings of a watched folder, as they are stored and as a person gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipshare.errors import BadInput

_KNOWN = ("dir", "poll_s", "no_file_after_s", "mapping", "encoding", "trust", "accept_gap", "as_of",
          "login")  # fmt: skip


@dataclass(frozen=True)
class Watched:
    """A folder and how its files are imported; see `pipshare import --help` for the latter.

    `no_file_after_s` 0 = no alert. With `as_of_mtime` a file's own time says when it was exported.
    """

    folder: Path
    poll_s: float = 2.0
    no_file_after_s: int = 0
    mapping: Path | None = None
    encoding: str | None = None
    trust: str = ""
    accept_gap: bool = False
    as_of_mtime: bool = False
    login: int | None = None

    @classmethod
    def parse(cls, settings: Mapping[str, str]) -> Watched:
        """Read stored settings. Raises BadInput that names the setting and what it must be."""
        for name in settings:
            if name not in _KNOWN:
                raise _bad(name, f"is not known; known are {', '.join(_KNOWN)}")
        if not settings.get("dir") or not Path(settings["dir"]).is_absolute():
            raise _bad("dir", "must be the whole path of the folder")
        mapping = Path(settings["mapping"]) if settings.get("mapping") else None
        if mapping is not None and not mapping.is_file():
            raise _bad("mapping", f"names {mapping}, which is no file that can be read")
        as_of = settings.get("as_of", "")
        if as_of not in ("", "mtime"):
            raise _bad("as_of", "must be empty or 'mtime'")
        login = _number("login", settings.get("login", "0"))
        return cls(
            folder=Path(settings["dir"]),
            poll_s=max(0.05, _number("poll_s", settings.get("poll_s", "2"))),
            no_file_after_s=int(_number("no_file_after_s", settings.get("no_file_after_s", "0"))),
            mapping=mapping,
            encoding=settings.get("encoding") or None,
            trust=settings.get("trust", "").strip(),
            accept_gap=settings.get("accept_gap", "") == "yes",
            as_of_mtime=as_of == "mtime",
            login=int(login) or None,
        )


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _bad(name, f"must be a number, not {text!r}") from None
    if not 0 <= value < 10**15:
        raise _bad(name, "must not be negative")
    return value


def _bad(name: str, why: str) -> BadInput:
    return BadInput("bad_setting", f"the setting {name!r} of a watched folder {why}")
