"""`pipshare import`: what it says of each file, what it refuses, and with which exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_files import JOURNAL, MANAGER, MANAGER_HEADER, SQL, STATEMENT, manager_row

REPORT_KEYS = [
    "file", "format", "booked", "why_not", "note", "new", "repeated", "revised", "older", "cash",
    "cancelled", "compaction", "opening_unknown", "refused", "result", "matching", "differing",
    "not_stored", "differences", "gap", "error",
]  # fmt: skip


@pytest.fixture
def export(broker: Path) -> Path:
    path = broker / "[bold]export.csv"
    path.write_text(MANAGER)
    return path


def test_in_words(cli: Any, export: Path) -> None:
    first = cli("import", "--server", "Live-4", export)
    assert (first.status, first.err) == (0, "")
    lines = first.out.splitlines()
    assert lines[0] == f"{export}: mt4_manager; 2 new, 1 refused, 1 balance row"
    assert lines[1].startswith("  refused, line 4: ticket 3: Volume '-1'")
    assert lines[2] == "Booked: 2 trades (2 introduced), 4 lines."
    again = cli("import", "--server", "Live-4", export)
    assert again.status == 0
    assert "2 repeated, 1 refused" in again.out
    assert "Booked" not in again.out


def test_as_json(cli: Any, export: Path, broker: Path) -> None:
    ran = cli("import", "--server", "Live-4", "--json", export, broker / "missing.csv")
    assert ran.status == 1
    done, missing = json.loads(ran.out, parse_float=pytest.fail)["files"]
    assert list(done) == REPORT_KEYS
    assert (done["booked"], done["new"], done["gap"], done["error"]) == (True, 2, "0.00", None)
    assert [(row["line"], row["code"]) for row in done["refused"]] == [(4, "volume_not_positive")]
    assert (done["result"]["introduced"], done["result"]["lines"]) == (2, 4)
    assert list(missing) == ["file", "error"]
    assert "does not exist" in missing["error"]
    assert "does not exist" in ran.err


def test_differences_are_told_as_people_write_them(cli: Any, broker: Path) -> None:
    export, statement = broker / "export.csv", broker / "statement.htm"
    export.write_text(MANAGER_HEADER + manager_row(2, "0.20"))
    statement.write_text(STATEMENT)
    assert cli("import", "--server", "Live-4", export).status == 0
    ran = cli("import", "--server", "Live-4", statement)
    assert ran.status == 0
    assert "not booked: a client can edit such a document" in ran.out
    assert "compared: 0 match, 1 differ, 1 are not stored" in ran.out
    assert "ticket 2: side" in ran.out
    assert "lots 0.25 here, 0.20 stored" in ran.out
    told = json.loads(cli("import", "--server", "Live-4", "--json", statement).out)
    fields = told["files"][0]["differences"][0]["fields"]
    assert fields["lots"] == {"here": "0.25", "stored": "0.20"}


def test_a_bad_file_does_not_keep_the_next_from_being_booked(cli: Any, export: Path) -> None:
    broken = export.with_name("broken.csv")
    broken.write_text("")
    ran = cli("import", "--server", "Live-4", broken, export)
    assert ran.status == 1
    assert ran.err == f"pipshare: {broken.name} is empty: export it again\n"
    assert "2 new" in ran.out


def test_what_a_command_lacks_is_wrong_use(cli: Any, export: Path) -> None:
    unnamed = cli("import", export)
    assert unnamed.status == 2
    assert "--server NAME" in unnamed.err
    assert cli("import", "--server", "Live-4").status == 2
    vague = cli("import", "--server", "Live-4", "--as-of", "yesterday", export)
    assert vague.status == 2
    assert "'yesterday' is not a moment such as 2026-" in vague.err


def test_an_unknown_server_and_the_wrong_platform(cli: Any, export: Path) -> None:
    unknown = cli("import", "--server", "Live-6", export)
    assert unknown.status == 1
    assert "there is no server 'Live-6'" in unknown.err
    deals = export.with_name("deals.sql")
    deals.write_text(SQL)
    wrong = cli("import", "--server", "Live-4", deals)
    assert wrong.status == 1
    assert "comes from MT5, and server Live-4 is MT4" in wrong.err
    assert wrong.err.endswith("with --server\n")
    ours = export.with_name("ours.csv")
    ours.write_text("ticket,login,position,symbol,side,lots,close_time,close_price\n"
                    "1,1001,7,EURUSD,buy,1,2026-03-02 10:00:00,1.1\n")  # fmt: skip
    told = cli("import", "--server", "Live-4", ours)
    assert told.status == 1
    assert "is MT5's where it has the column position" in told.err
    # A journal does not say of which platform it is.
    journal = export.with_name("journal.csv")
    journal.write_text(JOURNAL)
    assert cli("import", "--server", "Live-5", journal).status == 0


def test_a_server_without_a_go_live_says_how_to_set_one(cli: Any, export: Path) -> None:
    servers = export.with_name("servers.csv")
    servers.write_text("server,platform,clock\nNew-4,mt4,UTC\n")
    assert cli("load", "servers", servers).status == 0
    ran = cli("import", "--server", "New-4", export)
    assert ran.status == 0
    assert "New-4 has no go-live" in ran.out
    assert "pipshare load servers" in ran.out
    assert "Booked" not in ran.out
    assert "The server has no go-live" in cli("explain", "1").out
    servers.write_text("server,platform,clock,go_live\nNew-4,mt4,UTC,2026-01-01T00:00:00Z\n")
    assert cli("load", "servers", servers).status == 0
    assert {"unknown_account"} == {one["reason"] for one in _waiting(cli)}


def test_waiting_says_what_for_and_is_empty_in_words(cli: Any, broker: Path) -> None:
    assert cli("waiting").out == "Nothing waits.\n"
    export = broker / "export.csv"
    export.write_text(MANAGER_HEADER + manager_row(1, login=77) + manager_row(2, symbol="NEW"))
    imported = cli("import", "--server", "Live-4", export)
    assert "1 wait: the account is not known: pipshare load accounts" in imported.out
    ran = cli("waiting")
    assert ran.status == 0
    for words in ("Live-4  unknown_account  77", "Live-4  unpriced         NEW"):
        assert words in ran.out
    assert [one["reason"] for one in _waiting(cli, "--reason", "unpriced")] == ["unpriced"]
    assert list(_waiting(cli)[0]) == ["server", "reason", "key", "trades", "example", "since"]
    assert cli("waiting", "--reason", "nonsense").status == 2


def test_waiting_shows_a_few_of_each_reason_and_no_control_characters(
    cli: Any, broker: Path
) -> None:
    export, events = broker / "export.csv", broker / "events.csv"
    rows = [manager_row(number, login=70 + number) for number in range(1, 9)]
    export.write_text(MANAGER_HEADER + "".join(rows) + manager_row(9, symbol="NEW"))
    assert cli("import", "--server", "Live-4", export).status == 0
    named = "a\x1b[31m\u202eb\nc"
    events.write_text("event,kind,at,client,amount,currency,reference\n"
                      f'e-1,deposit_reversed,2026-05-01,C-1,5,USD,"{named}"\n')  # fmt: skip
    assert cli("load", "events", events).status == 0
    told = cli("waiting").out
    assert told.count("unknown_account  7") == 5
    assert "3 more of unknown_account: pipshare waiting --all" in told
    assert "Live-4  unpriced         NEW" in told
    assert r"a\x1b[31m\u202eb\nc" in told
    assert not {"\x1b", "\u202e"} & set(told)
    every = cli("waiting", "--all").out
    assert every.count("unknown_account  7") == 8
    assert "more of" not in every
    assert "C-1" not in cli("waiting", "--reason", "unpriced").out
    assert "C-1" in cli("waiting", "--reason", "unknown_reference").out


def test_an_import_takes_up_what_a_killed_load_left(
    cli: Any, broker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, accounts = broker / "export.csv", broker / "more.csv"
    export.write_text(MANAGER_HEADER + manager_row(1, login=77))
    accounts.write_text("server,login,client\nLive-4,77,C-1\n")
    assert cli("import", "--server", "Live-4", export).status == 0
    with monkeypatch.context() as patched:
        patched.setattr("pipshare.pipeline.loads.to_rest", _interrupted)
        assert cli("load", "accounts", accounts).status == 1
    assert cli("waiting").out != "Nothing waits.\n"
    ran = cli("import", "--server", "Live-4", export)
    assert ran.status == 0
    assert "Taken up: 1 trade (1 introduced), 2 lines." in ran.out
    assert cli("waiting").out == "Nothing waits.\n"


def _interrupted(run: Any) -> None:
    raise KeyboardInterrupt


def _waiting(cli: Any, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cli("waiting", "--json", *options).out)
    return found
