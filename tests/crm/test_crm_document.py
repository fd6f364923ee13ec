"""The page for the integrator: its example holds, every key, kind, field and code is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

from pipshare.crm import (
    PRESETS,
    Mapped,
    Problem,
    Skipped,
    mapping_of,
    preset,
    read_payload,
    read_verification,
)
from pipshare.crm.expressions import FUNCTIONS
from pipshare.crm.kinds import CLAIMS, RECORDS
from pipshare.crm.pick import GIVEN, OTHERWISE
from pipshare.crm.read_fields import FORMS, STEPS, WAYS
from pipshare.crm.read_mapping import KEYS, RULE_KEYS, TESTS
from pipshare.crm.read_verify import KEYS as PROOF_KEYS
from pipshare.crm.verify import METHODS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/crm-mapping.md").read_text()
BLOCKS = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
CODE = re.compile(
    r'(?:Fault|BadInput|Refused)\(\s*"([a-z_]+)"|Problem\((?:0|number), "([a-z_]+)"'
    r'|_other\(\s*text,\s*"([a-z_]+)"'
)


def test_every_word_of_the_language_is_there() -> None:
    words = {
        *KEYS,
        *RULE_KEYS,
        *TESTS,
        *WAYS,
        *STEPS,
        *FORMS,
        *GIVEN,
        *OTHERWISE,
        *FUNCTIONS,
        *CLAIMS,
        *RECORDS,
        *METHODS,
        *PRESETS,
    }
    words |= {key for keys in PROOF_KEYS.values() for key in keys}
    assert sorted(word for word in words if f"`{word}`" not in PAGE) == []


def test_every_code_is_there() -> None:
    found: set[str] = set()
    for path in (ROOT / "src/pipshare/crm").glob("*.py"):
        found |= {code for match in CODE.findall(path.read_text()) for code in match if code}
    at_set_up = {
        "bad_expression",
        "bad_verification",
        "bad_secret",
        "bad_setting",
        "unknown_preset",
    }
    found -= at_set_up
    assert len(found) > 25
    assert sorted(code for code in found if f"`{code}`" not in PAGE) == []


def test_the_worked_example_holds() -> None:
    payload, mapping, proofs = BLOCKS
    assert len(read_verification(json.loads(proofs)).proofs) == 2
    outcomes = mapping_of(json.loads(mapping)).apply(read_payload(payload.encode()))
    rows = re.findall(r"^\| (\d) \| ([a-z ]+) \| (.*) \|$", PAGE, re.MULTILINE)
    assert [(str(one.item), getattr(one, "rule", "")) for one in outcomes] == [
        (number, rule) for number, rule, _ in rows
    ]
    for one, (_, _, told) in zip(outcomes, rows, strict=True):
        if isinstance(one, Skipped):
            assert one.reason in told
        assert not isinstance(one, Mapped) or all(
            one.fields.get(name, "") in told
            for name in ("kind", "event", "at", "amount", "currency", "reference", "country")
        )


def test_the_worked_example_takes_no_state_that_it_does_not_know_for_money() -> None:
    payload, mapping, _ = BLOCKS
    for example in (mapping_of(json.loads(mapping)), preset("trader-room").filled()):
        told = payload.replace('"state": "done"', '"state": "pending"', 1)
        (found,) = (one for one in example.apply(read_payload(told.encode())) if one.item == 3)
        assert isinstance(found, Problem)
        assert found.code == "no_rule"
