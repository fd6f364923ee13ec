"""The page about messages names every type, macro and preset that there is."""

from __future__ import annotations

from pathlib import Path

from pipshare.tracking.catalogue import TYPES
from pipshare.tracking.macros import MACROS
from pipshare.tracking.presets import PRESETS

PAGE = (Path(__file__).parents[2] / "docs/reference/messages.md").read_text()


def test_everything_that_may_be_said_is_on_the_page() -> None:
    for kind, said in TYPES.items():
        assert f"`{kind}` | {said.event}" in PAGE
    for macro in MACROS:
        assert f"{{{macro}}}" in PAGE or macro in ("sub2", "sub3", "sub4"), macro
    for preset in PRESETS.values():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| {preset.name} |"))
        assert f"`{preset.link}`" in row
        for part in preset.url.partition("?")[2].split("&"):
            assert f"`{part.partition('=')[0]}`" in row, part
