"""docs/reference/crm.md names every code that a sender may see, and every setting."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

from pipshare.crm import PRESETS
from pipshare.pipeline.crm.hook_settings import ANSWERS, HookSettings
from pipshare.pipeline.crm.judge import FORM, JSON, NDJSON

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/crm.md").read_text()
SOURCES = ("api/hooks.py", "api/hook_answers.py", "api/sent.py", "pipeline/crm/door.py",
           "pipeline/crm/judge.py", "crm/verify.py")  # fmt: skip
CODE = re.compile(r'(?:Problem|problem|Refused|Unavailable|BadInput)\(\s*(?:[0-9]{3},\s*)?'
                  r'"([a-z0-9_]+)"|_Fault\([^,]*,\s*"([a-z_]+)"|code = "([a-z_]+)"')  # fmt: skip
NO_CODES = {"bad_secret"}  # at set-up


def test_every_code_is_there() -> None:
    found: set[str] = set()
    for name in SOURCES:
        text = (ROOT / "src/pipshare" / name).read_text()
        found |= {code for match in CODE.findall(text) for code in match if code}
    assert {"too_large", "paused", "half_an_account", "stale", "nothing_mapped"} <= found
    assert sorted(code for code in found - NO_CODES if f"`{code}`" not in PAGE) == []


def test_every_setting_preset_and_type_is_there() -> None:
    words = {*(one.name for one in fields(HookSettings)), *ANSWERS, JSON, FORM, NDJSON[0]}
    words |= {name for name in PRESETS if name != "sandbox-crm"}
    assert sorted(word for word in words if f"`{word}`" not in PAGE) == []


def test_the_answer_shown_is_json() -> None:
    block = PAGE[PAGE.index('    {"verdict"') :].split("\n\n")[0]
    told = json.loads(block)
    assert [one["verdict"] for one in told["items"]] == ["mapped", "skipped", "problem"]
