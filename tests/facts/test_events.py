"""Events: what is read, what is refused, one schema per kind, reversals and their originals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import pipshare.facts
from pipshare.facts.event_schemas import example, schema_of, text_of
from pipshare.facts.events import ALSO, EVENT, KINDS, checked, newest, originals
from pipshare.facts.fields import FIELDS
from pipshare.facts.reading import read_table

SCHEMAS = Path(pipshare.facts.__file__).parent / "schemas"


def read(text: str):
    """Return (EVENT frame, refusals) of a file's text."""
    frame, refused = read_table("\n".join(map(str.strip, text.strip().splitlines())).encode(),
                                "events")  # fmt: skip
    events, wrong = checked(frame)
    return events, refused + wrong


def test_every_kind_has_its_schema_and_no_other_file_is_there():
    assert {path.stem for path in SCHEMAS.glob("*.json")} == set(KINDS)
    for kind in KINDS:
        assert (SCHEMAS / f"{kind}.json").read_text() == text_of(kind), kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_schemas_example_is_read_whole(kind):
    frame, refused = read_table(json.dumps([example(kind)]).encode(), "events")
    assert refused == []
    events, wrong = checked(frame)
    assert wrong == []
    assert events.schema == EVENT
    assert events["kind"].to_list() == [kind]
    assert set(example(kind)) <= set(schema_of(kind)["properties"])


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_schema_requires_is_what_is_refused_without_it(kind):
    for name in schema_of(kind)["required"]:
        less = {key: value for key, value in example(kind).items() if key != name}
        less |= {} if name in ("event", "kind", "at") else {name: ""}
        if name in ("event", "kind", "at"):
            less[name] = ""
        frame, refused = read_table(json.dumps([less]).encode(), "events")
        assert refused or checked(frame)[1], name


def test_every_field_belongs_to_some_kind():
    used = {name for kind in KINDS for name in schema_of(kind)["properties"]}
    assert used == {field.name for field in FIELDS["events"]}


def test_both_spellings_of_a_kind_are_read():
    rows = "\n".join(f"{n},{name},2026-01-01T00:00:00Z,C-1,Live-1,5,1,USD,x,1,1,C-2,IB"
                     for n, name in enumerate(ALSO))  # fmt: skip
    head = ("event,kind,at,client,server,login,amount,currency,reference,credit,equity,"
            "other_client,partner\n")  # fmt: skip
    events, refused = read(head + rows)
    assert refused == []
    assert events["kind"].to_list() == list(ALSO.values())


def test_kyc_may_be_told_as_a_change_with_its_status():
    events, refused = read("""
        event,kind,at,client,status
        1,kyc.changed,2026-01-01T00:00:00Z,C,Approved
        2,kyc.changed,2026-01-01T00:00:00Z,C,withdrawn
        3,kyc.changed,2026-01-01T00:00:00Z,C,
        4,kyc.changed,2026-01-01T00:00:00Z,C,aproved
        5,kyc_expired,2026-01-01T00:00:00Z,C,approved
    """)
    assert events["kind"].to_list() == ["kyc_approved", "kyc_withdrawn", "kyc_expired"]
    assert [(one.line, one.code) for one in refused] == [(4, "unknown_kind"), (5, "unknown_kind")]
    assert "did you mean kyc_approved?" in refused[1].reason


def test_what_cannot_be_is_refused_and_leaves_the_rows_beside_it():
    events, refused = read("""
        event,kind,at,client,amount,currency,reference,server,login,country,version,cleared_at
        1,deposit,2026-01-01T00:00:00Z,C,100,USD,,,,,,
        2,depost,2026-01-01T00:00:00Z,C,100,USD,,,,,,
        3,deposit,2026-01-01T00:00:00Z,C,-5,USD,,,,,,
        4,deposit,2026-01-01T00:00:00Z,C,0,USD,,,,,,
        5,deposit,2026-01-01T00:00:00Z,C,5,,,,,,,
        6,deposit_reversed,2026-01-01T00:00:00Z,C,5,USD,,,,,,
        7,kyc_approved,2026-01-01T00:00:00Z,,,,,,,,,
        8,kyc_approved,2026-01-01T00:00:00Z,,,,,Live,,,,
        9,kyc_approved,2026-01-01T00:00:00Z,C,,,,,,Cyprus,,
        10,account_snapshot,2026-01-01T00:00:00Z,,,,,Live,7,,,
        11,deposit,2026-01-01 00:00,C,5,USD,,,,,,
        12,chargeback_lost,2026-01-01T00:00:00Z,C,,,12,,,,,
        13,deposit,2026-01-01T00:00:00Z,C,5,USD,,,,,-1,
        14,deposit,2026-01-02T00:00:00Z,C,5,USD,,,,,,2026-01-01T00:00:00Z
        15,registration,2026-01-01T00:00:00Z,,,,,Live,7,,,
        16,kyc_approved,2026-01-01T00:00:00Z,,,,,Live,-7,,,
    """)
    assert events["event"].to_list() == ["1"]
    assert sorted((one.line - 1, one.code) for one in refused) == [
        (2, "unknown_kind"), (3, "negative_amount"), (4, "missing_field"), (5, "missing_field"),
        (6, "missing_field"), (7, "nobody"), (8, "nobody"), (9, "bad_country"),
        (10, "missing_field"), (11, "bad_moment"), (12, "own_reference"), (13, "bad_version"),
        (14, "cleared_before"), (15, "missing_field"), (16, "bad_login"),
    ]  # fmt: skip
    reasons = {one.line - 1: one.reason for one in refused}
    assert "did you mean deposit?" in reasons[2]
    assert "credit" in reasons[10] or "equity" in reasons[10]


def test_defaults_say_what_is_not_told():
    events, _ = read("event,kind,at,client\n1,qualified,2026-01-01T00:00:00Z,C")
    (row,) = events.to_dicts()
    assert (row["source"], row["entity"], row["version"]) == ("file", "main", 1)
    assert row["cleared_ms"] == row["at_ms"] == 1_767_225_600_000
    assert (row["amount_e8"], row["login"], row["expires_ms"], row["currency"]) == (0, 0, 0, "")


def test_the_newest_of_an_identity_is_the_highest_version_whatever_came_last():
    events, refused = read("""
        event,kind,at,client,amount,currency,version,source
        a,deposit,2026-01-01T00:00:00Z,C,2,USD,2,crm
        a,deposit,2026-01-01T00:00:00Z,C,1,USD,1,crm
        a,deposit,2026-01-01T00:00:00Z,C,9,USD,1,psp
        b,deposit,2026-01-02T00:00:00Z,C,4,USD,1,crm
        b,deposit,2026-01-01T00:00:00Z,C,3,USD,1,crm
    """)
    assert refused == []
    found = newest(events)
    assert [n // 10**8 for n in found["amount_e8"]] == [2, 9, 4]


def test_a_reversal_finds_its_original_wherever_it_stands_and_in_its_own_source():
    events, refused = read("""
        event,kind,at,client,amount,currency,reference,source
        r,deposit_reversed,2026-01-03T00:00:00Z,C,,,d,crm
        o,chargeback_opened,2026-01-03T00:00:00Z,C,,,d,crm
        w,chargeback_won,2026-01-03T00:00:00Z,C,,,o,crm
        x,deposit_reversed,2026-01-03T00:00:00Z,C,,,nowhere,crm
        y,deposit_reversed,2026-01-03T00:00:00Z,C,,,d,psp
        p,chargeback_won,2026-01-03T00:00:00Z,C,,,q,crm
        q,chargeback_opened,2026-01-03T00:00:00Z,C,,,p,crm
        d,deposit,2026-01-01T00:00:00Z,C,1,USD,,crm
    """)
    assert refused == []
    assert originals(events).to_list() == [7, 7, 7, -1, -1, -1, -1, -1]
