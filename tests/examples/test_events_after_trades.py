"""Examples whose events come in after their trades are settled: the books come to the same."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import test_examples_database as database
from example_files import differences, files_of

from pipshare.pipeline import to_rest

LATE = ("amount-by-first-deposit", "share-of-first-deposit", "share-of-net-deposits",
        "commission-of-first-days", "days-of-a-client", "paid-when-earned",
        "campaign-and-countries-of-clients")  # fmt: skip


@pytest.mark.parametrize("case", LATE)
def test_events_that_come_late_change_what_they_say(
    case: str, db: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = files_of(case)
    assert whole.events is not None
    monkeypatch.setattr(database, "files_of", lambda _: replace(whole, events=None))
    with db.app() as conn:
        books = database.Books(conn, tmp_path, case)
        books.bring()
        with whole.events.open(newline="") as file:
            rows = list(csv.DictReader(file))
        for one in reversed(rows):  # what takes a deposit back before the deposit
            books._load("events", [one])
        to_rest(books.run)
        assert differences(case, books.lines(), None) == []
        database.assert_whole(books)
