"""Presets: how known systems say things, each a JSON file with a mapping and a way of verification.

What a preset leaves to the broker stands in angle brackets; `filled` puts it there. A preset whose
`verified` is false follows what is documented or published and was never run against the system.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipshare.crm.mapping import CrmMapping
from pipshare.crm.read_fields import Place, check_filled
from pipshare.crm.read_mapping import mapping_of
from pipshare.errors import Missing

_FOLDER = Path(__file__).parent
PRESETS = tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


@dataclass(frozen=True)
class Preset:
    """A system's preset. `asks`: what the broker fills in, with what it is; `lacks`: in words.

    `ours`: it is of pipshare's own making, and there is no vendor's system to run it against.
    """

    name: str
    system: str
    about: str
    verified: bool
    asks: Mapping[str, str]
    lacks: str
    verify: list[dict[str, Any]]
    mapping: dict[str, Any]
    ours: bool = False

    def filled(self, values: Mapping[str, str] | None = None) -> CrmMapping:
        """Return the mapping with `values` in their places. Raises BadInput for one left open."""
        return mapping_of(self.mapping_with(values or {}))

    def mapping_with(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Return the mapping as JSON with `values` in their places, unchecked."""
        found: dict[str, Any] = _filled(self.mapping, values)
        return found

    def verify_with(self, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the proofs as JSON with `values` in their places. Raises BadInput for one open."""
        found: list[dict[str, Any]] = _filled(self.verify, values)
        for proof in found:
            for key, text in proof.items():
                check_filled(str(text), Place(f"verification of {self.name}"), key)
        return found

    @property
    def text(self) -> str:
        """Return the mapping as JSON text, with its angle brackets, for somebody to edit."""
        return json.dumps(self.mapping, indent=2, ensure_ascii=False) + "\n"


@lru_cache(maxsize=32)
def preset(name: str) -> Preset:
    """Return a preset. Raises Missing for a name that none has."""
    if name not in PRESETS:
        raise Missing("unknown_preset", f"no preset {name!r}; there are {', '.join(PRESETS)}")
    told = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Preset(name=name, **told)


def _filled(told: Any, values: Mapping[str, str]) -> Any:
    if isinstance(told, dict):
        return {key: _filled(value, values) for key, value in told.items()}
    if isinstance(told, list):
        return [_filled(value, values) for value in told]
    if isinstance(told, str):
        for name, value in values.items():
            told = told.replace(f"<{name}>", value)
    return told
