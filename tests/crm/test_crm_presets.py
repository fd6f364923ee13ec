"""Presets of known systems: documented-shape payloads in, expected canonical events out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipshare.crm import PRESETS, Mapped, Outcome, Skipped, canonical, preset
from pipshare.crm import read_payload as read
from pipshare.crm.read_verify import read_verification
from pipshare.errors import BadInput, Missing
from pipshare.facts.events import checked

ROOT = Path(__file__).resolve().parents[2]
PAYLOADS = Path(__file__).parent / "payloads"
RECEIVED_MS = 1_772_442_000_123
TOLD = {name: read((PAYLOADS / f"{name}.json").read_bytes()) for name in PRESETS}
CASES = [(name, one) for name, told in TOLD.items() for one in told["cases"]]


def _shown(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Mapped):
        claims = {"claims": dict(outcome.claims)} if outcome.claims else {}
        told = {"item": outcome.item, "rule": outcome.rule, "fields": dict(outcome.fields)}
        return {**told, **claims}
    if isinstance(outcome, Skipped):
        return {"item": outcome.item, "rule": outcome.rule, "skipped": outcome.reason}
    return {"item": outcome.item, "problem": str(outcome)}


def test_each_preset_has_payloads_and_no_other_file_is_there() -> None:
    assert {path.stem for path in PAYLOADS.glob("*.json")} == set(PRESETS)


@pytest.mark.parametrize(("name", "case"), CASES, ids=lambda one: one if isinstance(one, str)
                         else one["name"])  # fmt: skip
def test_a_payload_becomes_these_events(name: str, case: dict[str, Any]) -> None:
    outcomes = (
        preset(name).filled(TOLD[name]["fill"]).apply(case["payload"], received_ms=RECEIVED_MS)
    )
    assert [_shown(one) for one in outcomes] == case["expected"]
    mapped = [one for one in outcomes if isinstance(one, Mapped)]
    made = canonical(mapped, defaults={"source": name})
    assert made.problems == []
    events, refused = checked(made.events)
    assert not refused
    assert len(events) + len(made.accounts) + len(made.clients) + len(made.claims) >= len(mapped)


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_text_can_be_edited_and_read(name: str) -> None:
    one = preset(name)
    assert set(TOLD[name]["fill"]) == {key for key in one.asks if f"<{key}>" in one.text}
    assert json.loads(one.text) == one.mapping
    if one.verify and "<" not in json.dumps(one.verify):
        assert read_verification(one.verify).proofs
    if "<" in one.text:
        with pytest.raises(BadInput, match="put your own value in the place of <"):
            one.filled()


def test_an_unknown_preset_is_named_with_those_that_there_are() -> None:
    with pytest.raises(Missing, match="currentdesk"):
        preset("salesforce")


def test_the_readme_says_of_each_what_is_not_verified() -> None:
    text = (ROOT / "src/pipshare/crm/README.md").read_text()
    for name in PRESETS:
        one = preset(name)
        assert f"## {one.system}" in text
        assert one.lacks
        assert one.about
        assert not one.verified
