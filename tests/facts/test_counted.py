"""Which of several sources' events count: each deposit once, for every order of arrival."""

from __future__ import annotations

from random import Random

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.facts.counted import Authority, authority_at, why_not
from pipshare.facts.events import EVENT, originals
from pipshare.period import HOUR_MS

START = 1_700_000_000_000
Row = dict[str, object]


def told(source: str, event: str, kind: str, hours: int, **more: object) -> Row:
    row: Row = {name: 0 if type_ in (pl.Int64, pl.Int32) else "" for name, type_ in EVENT.items()}
    at = START + hours * HOUR_MS
    base = {"source": source, "event": event, "kind": kind, "at_ms": at, "cleared_ms": at,
            "entity": "main", "client_id": 1, "amount_e8": 100, "currency": "USD"}  # fmt: skip
    return {**row, **base, **more}


def reasons(rows: list[Row], *known: Authority) -> dict[tuple[object, object], str]:
    """Return by (source, event) why it does not count."""
    events = pl.DataFrame(rows, schema={**EVENT, "client_id": pl.Int64}, orient="row")
    events = events.sort("at_ms", "source", "event")
    events = events.with_columns(original=originals(events))
    keys = events.select("source", "event").rows()
    return dict(zip(keys, why_not(events, known).to_list(), strict=True))


def counting(rows: list[Row], *known: Authority) -> set[tuple[object, object]]:
    return {key for key, reason in reasons(rows, *known).items() if not reason}


CRM, PSP = told("crm", "d", "deposit", 5), told("psp", "p", "deposit", 0)


def test_what_two_sources_tell_counts_once_the_earlier_one() -> None:
    assert reasons([CRM, PSP]) == {("crm", "d"): "told_twice", ("psp", "p"): ""}


def test_of_what_was_taken_back_the_one_who_knows_it_counts() -> None:
    back = told("crm", "b", "deposit_reversed", 300, reference="d")
    assert counting([CRM, PSP, back]) == {("crm", "d"), ("crm", "b")}
    also = told("psp", "q", "deposit_reversed", 301, reference="p")
    assert counting([CRM, PSP, back, also]) == {("psp", "p"), ("psp", "q")}


def test_what_differs_or_is_far_apart_is_not_the_same() -> None:
    for other in ({"amount_e8": 99}, {"currency": "EUR"}, {"client_id": 2}, {"kind": "withdrawal"},
                  {"entity": "other"}, {"at_ms": START + 54 * HOUR_MS}):  # fmt: skip
        assert len(counting([{**CRM, **other}, PSP])) == 2, other
    assert len(counting([CRM, {**PSP, "source": "crm"}])) == 2, "one source means what it says"


def test_two_equal_deposits_told_by_both_are_two() -> None:
    rows = [CRM, PSP, told("crm", "d2", "deposit", 7), told("psp", "p2", "deposit", 6)]
    assert len(counting(rows)) == 2


def test_three_sources_tell_of_one() -> None:
    assert counting([CRM, PSP, told("s2s", "t", "deposit", 2)]) == {("psp", "p")}


def test_the_authoritative_source_alone_counts_from_its_moment_on() -> None:
    since = Authority("main", "money", START + 10 * HOUR_MS, "psp")
    crm_late = told("crm", "d2", "deposit", 20, amount_e8=7)
    back = told("crm", "b", "deposit_reversed", 30, reference="d")
    alone = told("crm", "d", "deposit", 5)
    assert counting([alone, crm_late, back], since) == {("crm", "d"), ("crm", "b")}
    assert reasons([alone, crm_late], since)["crm", "d2"] == "other_source"
    again = Authority("main", "money", START, "")
    assert len(counting([alone, crm_late], since, again)) == 2, "the record made last holds"


def test_authority_of_money_says_nothing_of_kyc_nor_of_other_kinds_and_entities() -> None:
    rows = [told("crm", kind, kind, 5, amount_e8=0) for kind in
            ("kyc_approved", "registration", "bonus", "qualified", "compensation")]  # fmt: skip
    assert len(counting(rows, Authority("main", "money", 0, "psp"))) == len(rows)
    kyc = counting(rows, Authority("main", "kyc", 0, "psp"))
    assert len(kyc) == len(rows) - 1
    assert ("crm", "kyc_approved") not in kyc
    assert len(counting([CRM], Authority("other", "money", 0, "psp"))) == 1


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_columns_say_what_one_look_up_says(seed: int) -> None:
    rnd = Random(seed)
    known = [
        Authority(rnd.choice(("main", "other")), rnd.choice(("money", "kyc")),
                  START + rnd.randint(0, 9) * HOUR_MS, rnd.choice(("crm", "psp", "")))
        for _ in range(rnd.randint(1, 5))
    ]  # fmt: skip
    facts = {"deposit": "money", "withdrawal": "money", "kyc_approved": "kyc"}
    rows = [
        told(rnd.choice(("crm", "psp")), f"e{n}", rnd.choice(tuple(facts)), rnd.randint(0, 9),
             amount_e8=n, entity=rnd.choice(("main", "other")))
        for n in range(8)
    ]  # fmt: skip
    found = reasons(rows, *known)
    for row in rows:
        at = row["at_ms"]
        assert isinstance(at, int)
        whose = authority_at(known, str(row["entity"]), facts[str(row["kind"])], at)
        assert (found[row["source"], row["event"]] == "other_source") == (
            whose not in ("", row["source"])
        )


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_no_order_changes_what_counts_and_each_source_counts_at_most_once(seed: int) -> None:
    rnd = Random(seed)
    rows = []
    for n in range(rnd.randint(1, 8)):
        source = rnd.choice(("crm", "psp", "s2s"))
        amount, client = rnd.choice((100, 100, 200)), rnd.choice((1, 1, 2))
        rows.append(told(source, f"d{n}", "deposit", rnd.randint(0, 90), amount_e8=amount,
                         client_id=client))  # fmt: skip
        if rnd.random() < 0.3:
            rows.append(told(source, f"r{n}", "deposit_reversed", 100, reference=f"d{n}"))
    first = reasons(rows)
    for _ in range(4):
        rnd.shuffle(rows)
        assert reasons(rows) == first
    counted = {key for key, reason in first.items() if not reason}
    assert all(reason in ("", "told_twice") for reason in first.values())
    by_source: dict[object, int] = {}
    for row in rows:
        if row["kind"] == "deposit":
            by_source[row["source"]] = by_source.get(row["source"], 0) + 1
    deposits = sum(1 for _, event in counted if str(event).startswith("d"))
    assert max(by_source.values()) <= deposits, "nothing is lost that one source told by itself"
