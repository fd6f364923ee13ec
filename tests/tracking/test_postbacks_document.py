"""The page for the broker's developer: every event, field and reason is there, examples hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipshare.attribution.claims import REASONS
from pipshare.inbox.postbacks_due import WAITS
from pipshare.tracking.postback_fields import FIELDS, read_request, signature_of
from pipshare.tracking.postbacks import KINDS, Postback, postback_of
from pipshare.tracking.postbacks_url import example_url

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/reference/postbacks.md").read_text()
SOURCES = ("tracking/postback_fields.py", "tracking/postbacks.py", "pipeline/postbacks.py",
           "pipeline/postback_checks.py", "pipeline/claims_named.py")  # fmt: skip
CODE = re.compile(r'(?:Fault|BadInput)\(\s*"([a-z_]+)"|return "([a-z_]+)", |REJECTED, "([a-z_]+)"')


def _codes() -> set[str]:
    found: set[str] = set()
    for name in SOURCES:
        text = (ROOT / "src/pipshare" / name).read_text()
        found |= {code for match in CODE.findall(text) for code in match if code}
    assert len(found) > 25
    return found


def test_every_reason_is_named() -> None:
    missing = [code for code in sorted({*_codes(), *REASONS, *WAITS}) if f"`{code}`" not in PAGE]
    assert not missing


def test_every_field_is_named_with_its_other_names() -> None:
    for name, others in FIELDS.items():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", PAGE, re.MULTILINE)
        assert all(f"`{other}`" in row for other in others)


@pytest.mark.parametrize("event", KINDS)
def test_every_event_has_its_address(event: str) -> None:
    url = example_url("https://ib.example.com", event, "TOKEN")
    assert f"    {url}\n" in PAGE
    assert f"| `{event}` |" in PAGE
    fields = read_request(url.partition("?")[2].encode(), None, "")
    assert isinstance(postback_of(event, fields, 1_800_000_000_000), Postback)


def test_the_signatures_are_right() -> None:
    texts = re.findall(r"^      (token=\S+|\{\S+\})$", PAGE, re.MULTILINE)
    signatures = re.findall(r"`([0-9a-f]{64})`", PAGE)
    assert len(texts) == len(signatures) == 2
    assert [signature_of("signing-secret", text.encode()) for text in texts] == signatures
