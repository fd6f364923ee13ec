"""Dates of KYC as they may be told: with a zone, a date alone, none that contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipshare.facts.events import checked
from pipshare.facts.reading import read_table
from pipshare.period import Clock, from_ms

HEAD = "event,kind,at,client,expires_at,source\n"


def _told(tmp_path: Path, at: str, expires: str) -> tuple[list[int], list[tuple[str, str]]]:
    path = tmp_path / "events.csv"
    path.write_text(f"{HEAD}k,kyc_approved,{at},C-1,{expires},crm\n")
    frame, refused = read_table(path, "events", clock=Clock.parse("Europe/Nicosia"))
    events, wrong = checked(frame)
    return events["expires_ms"].to_list(), [(one.code, one.reason) for one in refused + wrong]


@pytest.mark.parametrize(
    ("expires", "end"),
    [
        ("2026-06-01T00:00:00Z", "2026-06-01T00:00:00+00:00"),
        ("2026-06-01T00:00:00+02:00", "2026-05-31T22:00:00+00:00"),
        ("2026-06-01", "2026-05-31T21:00:00+00:00"),  # the start of the broker's own day
    ],
)
def test_an_end_is_a_moment_or_the_start_of_the_brokers_day(
    tmp_path: Path, expires: str, end: str
) -> None:
    (found,), refused = _told(tmp_path, "2026-03-01T10:00:00Z", expires)
    assert (from_ms(found).isoformat(), refused) == (end, [])


@pytest.mark.parametrize(
    "expires", ["2026-06-01T00:00:00 MEZ", "01/06/2026", "2026-02-30T00:00:00Z", "soon"]
)
def test_what_is_no_moment_is_refused_and_names_the_field(tmp_path: Path, expires: str) -> None:
    found, refused = _told(tmp_path, "2026-03-01T10:00:00Z", expires)
    assert found == []
    assert len(refused) == 1
    assert "expires_at" in refused[0][1]


@pytest.mark.parametrize("expires", ["2026-03-01T10:00:00Z", "2025-06-01T00:00:00Z"])
def test_a_document_that_ended_before_its_approval_is_refused(tmp_path: Path, expires: str) -> None:
    found, refused = _told(tmp_path, "2026-03-01T10:00:00Z", expires)
    assert found == []
    ((code, reason),) = refused
    assert code == "expired_before"
    assert "expires_at" in reason


def test_no_end_is_no_expiry(tmp_path: Path) -> None:
    assert _told(tmp_path, "2026-03-01T10:00:00Z", "") == ([0], [])
