"""The fingerprint of an event: what was stored before a field existed is still known by it."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.clients.take_events import _content, _contents
from pipshare.facts.events import EVENT, LATER, UNCOUNTED

TOLD = {
    "source": "crm", "event": "d-1", "kind": "deposit", "entity": "main", "client": "C-1",
    "at_ms": 1_767_225_600_000, "amount_e8": 50_000_000_000, "currency": "USD",
    "cleared_ms": 1_767_225_600_000, "method": "card", "version": 1,
}  # fmt: skip
FIRST = -8901020001276733063
_ZERO = {name: "" if name in ("reference", "server", "country", "document", "other_client",
                              "partner", "reason") else 0 for name in EVENT}  # fmt: skip


def test_fields_that_came_later_change_no_fingerprint_until_they_are_told():
    """The number was worked out by the release that did not know these fields."""
    row = {**_ZERO, **TOLD}
    assert _content(row) == FIRST
    told = {"other_client": "C-2", "partner": "IB", "reason": "x", "effective_ms": 5}
    assert set(told) == set(LATER)
    several = {_content({**row, name: value}) for name, value in told.items()}
    assert len(several | {FIRST}) == len(LATER) + 1
    assert _content({**row, "partner": "x"}) != _content({**row, "reason": "x"})


def test_where_a_record_stood_is_not_what_it_says():
    assert UNCOUNTED == ("line",)
    assert _content({**_ZERO, **TOLD, "line": 7}) == FIRST


_CELLS = {
    pl.String: st.one_of(st.text(max_size=4), st.sampled_from(["", "a b", '"', "\\", "\x7f", "é"])),
    pl.Int64: st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)]),
}
_SEEN = {name: type_ for name, type_ in EVENT.items() if name not in UNCOUNTED}


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({name: _CELLS[type_] for name, type_ in _SEEN.items()})))
def test_columns_have_the_fingerprints_of_their_rows(rows):
    """Whatever is told, and however it has to be written: what is stored is known by it."""
    plain = {**_ZERO, **TOLD}
    frame = pl.DataFrame([{name: plain[name] for name in _SEEN}, *rows], schema=_SEEN)
    assert _contents(frame).to_list() == [FIRST, *map(_content, rows)]


def test_none_is_no_empty_text():
    row = {name: {**_ZERO, **TOLD}[name] for name in _SEEN}
    rows = [{**row, "method": None}, {**row, "version": None}, {**row, "partner": None}]
    frame = pl.DataFrame(rows, schema=_SEEN)
    assert _contents(frame).to_list() == list(map(_content, rows))
