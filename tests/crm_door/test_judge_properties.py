"""Whatever is judged right can be taken in, and whatever comes, judging raises nothing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipshare.crm import canonical, mapping_of
from pipshare.crm.kinds import CLAIMS, FIELD_TYPES
from pipshare.facts.event_schemas import example
from pipshare.facts.events import KINDS, KYC_CHANGED
from pipshare.pipeline.crm.judge import FORM, JSON, NDJSON, judge, packed, unpacked

NOW_MS = 1_795_000_000_000  # 18 November 2026
NAMES = sorted({*FIELD_TYPES, *CLAIMS} - {"kind"})
MAPPING = mapping_of({
    "format": 1, "name": "flat", "zone": "UTC",
    "rules": [{"name": "one", "kind": {"from": "kind"},
               "fields": [{"field": name, "from": name} for name in NAMES]}],
})  # fmt: skip
SOME: dict[str, list[Any]] = {
    "e8": ["250.00", "0", 5, "1,000.50", "-3", "1e-9", "9" * 30, "0.00000001"],
    "currency": ["USD", "usd", "XQZ", "$", "USDT"],
    "int": ["1", 17, "0", "-1", "x", "9" * 19],
    "moment": ["2026-05-01T10:00:00Z", "2026-05-02", "2099-01-01T00:00:00Z", "1969-01-01",
               "2026-05-28T20:30:00Z", "2031-07-01T00:00:00Z", "soon"],
    "text": ["a", "b", "CY", "cy", "approved", "Rejected", "", " x ", "\0", "y" * 1_001, None, [1]],
}  # fmt: skip
VALUES = {name: st.sampled_from([*SOME[FIELD_TYPES.get(name, "text")], None]) for name in NAMES}
RECORDED = {"event": "r-1", "at": "2026-07-01T10:00:00Z", "client": "C-1", "server": "Live-1",
            "login": "1001", "group": "std", "currency": "USD"}  # fmt: skip


def _right(kind: str) -> dict[str, Any]:
    """Return a record of a kind that nothing is wrong with."""
    if kind in KINDS:
        return dict(example(kind))
    told = {**dict(example("kyc_approved")), "status": "approved"} if kind == KYC_CHANGED else {}
    return {**RECORDED, **told, "kind": kind}


OTHERWISE = st.lists(st.sampled_from(NAMES), max_size=2).flatmap(
    lambda names: st.fixed_dictionaries({name: VALUES[name] for name in names})
)
RECORD = st.builds(
    lambda kind, otherwise: _right(kind) | otherwise,
    st.sampled_from([*KINDS, KYC_CHANGED, "client.updated", "account.opened", "client.claimed"]),
    OTHERWISE,
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)  # fmt: skip
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(st.lists(RECORD, min_size=1, max_size=6))
def test_what_is_judged_right_is_taken_in(records: list[dict[str, Any]]) -> None:
    found = judge(MAPPING, json.dumps(records).encode(), JSON, received_ms=NOW_MS, source="crm")
    assert {one.item for one in found.items} == set(range(1, len(records) + 1))
    assert unpacked(packed(found)) == found
    read = canonical([one.mapped for one in found.mapped])
    assert read.problems == []
    for one in found.problems:
        assert one.code
        assert one.sentence


def test_an_example_of_every_kind_is_judged_right() -> None:
    told = [_right(kind) for kind in (*KINDS, KYC_CHANGED)]
    found = judge(MAPPING, json.dumps(told).encode(), JSON, received_ms=NOW_MS)
    assert found.problems == []


@QUIET
@given(st.binary(max_size=200) | ANY_JSON.map(lambda told: json.dumps(told).encode()),
       st.sampled_from([JSON, NDJSON[0], FORM, "text/html", ""]))  # fmt: skip
def test_judging_raises_nothing(body: bytes, content_type: str) -> None:
    found = judge(MAPPING, body, content_type, received_ms=NOW_MS)
    assert unpacked(packed(found)) == found
