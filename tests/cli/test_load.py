"""`pipshare load`, `proposals` and `approve`: reports by row, dry runs, and a second person."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cli_files import MANAGER_HEADER, manager_row


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_good_rows_are_kept_and_bad_ones_fail_the_command(cli: Any, broker: Path) -> None:
    path = _file(broker, "more.csv", "client,country\nC-2,CY\nC-3,Cyprus\n")
    ran = cli("load", "clients", path)
    assert ran.status == 1
    assert ran.out.splitlines()[0] == ("clients: 2 rows: 1 added, 0 changed, 0 the same, 1 refused")
    assert "refused: line 3, field country: CYPRUS is not a two-letter code" in ran.out
    assert "1 the same" in cli("load", "clients", path).out


def test_a_dry_run_changes_nothing(cli: Any, broker: Path) -> None:
    path = _file(broker, "more.csv", "client,country\nC-2,CY\n")
    for _ in range(2):
        ran = cli("load", "clients", path, "--dry-run")
        assert ran.status == 0
        assert "1 would be added" in ran.out
        assert "Nothing was changed: this was a dry run." in ran.out
    move = _file(broker, "move.csv", "kind,code,partner\nclient,C-1,P-1\n")
    dry = cli("load", "relations", move, "--dry-run", "--reason", "x", "--by", "anna")
    assert "1 would be proposed" in dry.out
    assert "approve" not in dry.out, "its number would be another's"
    assert cli("proposals").out == "No proposal waits.\n"


def test_a_file_that_cannot_be_loaded(cli: Any, broker: Path) -> None:
    wrong = cli("load", "clients", _file(broker, "wrong.csv", "client,land\nC-2,CY\n"))
    assert wrong.status == 1
    assert "unknown column 'land'" in wrong.err
    assert "columns of clients: client (required), entity, country" in wrong.err
    assert cli("load", "clients", broker / "missing.csv").status == 2
    assert cli("load", "clientz", broker / "clients.csv").status == 2


def test_a_move_needs_two_people_and_is_rated_again(cli: Any, broker: Path) -> None:
    export = _file(broker, "export.csv", MANAGER_HEADER + manager_row(1))
    assert cli("import", "--server", "Live-4", export).status == 0
    move = _file(broker, "move.csv", "kind,code,partner,valid_from\nclient,C-1,P-1,2026-01-01\n")
    alone = cli("load", "relations", move)
    assert alone.status == 1
    assert "give --reason and --by" in alone.out

    proposed = cli("load", "relations", move, "--reason", "wrong tag", "--by", "anna")
    assert proposed.status == 0
    assert "`pipshare approve 1 --by NAME`" in proposed.out
    listed = cli("proposals").out
    for words in ("client C-1: P-2 -> P-1, from 2026-01-01", "anna", "wrong tag"):
        assert words in listed

    for name in ("anna", " ANNA "):
        same = cli("approve", "1", "--by", name)
        assert same.status == 1
        assert "somebody else has to decide" in same.err
    assert cli("approve", "1").status == 2
    done = cli("approve", "1", "--by", "ben")
    assert done.status == 0
    assert "Approved: client C-1: P-2 -> P-1" in done.out
    assert "Rated again: 1 trade (1 introduced), 3 lines." in done.out
    assert "P-1: 0.50 USD" in cli("explain", "1").out
    twice = cli("approve", "1", "--by", "carla")
    assert twice.status == 1
    assert re.search(r"proposal 1 was approved by ben, [-\d]+ \d\d:\d\d UTC\n", twice.err)
    missing = cli("approve", "9", "--by", "ben")
    assert (missing.status, missing.err) == (
        1, "pipshare: there is no proposal 9; `pipshare proposals` lists what waits\n"
    )  # fmt: skip
    assert cli("verify").status == 0


def test_a_go_live_and_an_owner_are_proposed_with_what_they_were(cli: Any, broker: Path) -> None:
    live = _file(broker, "s.csv", "server,platform,go_live\nLive-4,mt4,2026-04-01T00:00:00Z\n")
    assert cli("load", "servers", live).status == 1
    assert cli("load", "servers", live, "--reason", "later", "--by", "anna").status == 0
    clients = _file(broker, "c.csv", "client,partner\nC-2,P-1\n")
    assert cli("load", "clients", clients).status == 0
    owner = _file(broker, "a.csv", "server,login,client\nLive-4,1001,C-2\n")
    assert cli("load", "accounts", owner, "--reason", "mix-up", "--by", "anna").status == 0
    listed = cli("proposals").out
    assert "server Live-4: go-live 2026-01-01T00:00:00Z -> 2026-04-01T00:00:00Z" in listed
    assert "account 1001 on Live-4: C-1 -> C-2" in listed
    export = _file(broker, "export.csv", MANAGER_HEADER + manager_row(1))
    assert "1 introduced" in cli("import", "--server", "Live-4", export).out
    assert "1 before go-live" in cli("approve", "1", "--by", "ben").out
    told = cli("explain", "1").out
    assert "It closed before the server's go-live" in told
    assert "booked, and corrected since:" in told
    assert "The books say the same." in told


def test_a_load_takes_up_what_waited_for_it(cli: Any, broker: Path) -> None:
    export = _file(broker, "export.csv", MANAGER_HEADER + manager_row(1, login=77))
    assert cli("import", "--server", "Live-4", export).status == 0
    accounts = _file(broker, "a.csv", "server,login,client\nLive-4,77,C-1\n")
    ran = cli("load", "accounts", accounts)
    assert "Taken up: 1 trade (1 introduced), 2 lines." in ran.out
    assert cli("waiting").out == "Nothing waits.\n"


def test_events_are_loaded_and_what_waits_is_told(cli: Any, broker: Path) -> None:
    text = """event,kind,at,client,amount,currency,reference
1,registration,2026-02-01,C-1,,,
2,deposit_reversed,2026-02-03,C-1,,,3
4,depost,2026-02-03,C-1,5,USD,
"""
    ran = cli("load", "events", _file(broker, "events.csv", text))
    assert ran.status == 1
    assert ran.out.splitlines()[:3] == [
        "events: 3 rows: 2 added, 0 changed, 0 the same, 1 refused",
        "  1 event waits for a client, an account or an event that is not known yet",
        "  refused: line 4, field kind: depost is no kind of event (did you mean deposit?)",
    ]
    late = _file(broker, "late.csv", "event,kind,at,client,amount,currency\n"
                                     "3,deposit,2026-02-02,C-1,5,USD\n")  # fmt: skip
    assert cli("load", "events", late).status == 0
    assert "0 added, 0 changed, 1 the same" in cli("load", "events", late).out
    alone = _file(broker, "alone.csv", "event,kind,at,client,reference\n"
                                       "9,chargeback_opened,2026-02-02,C-1,8\n")  # fmt: skip
    cli("load", "events", alone)
    listed = cli("waiting").out
    assert "Events waiting" in listed
    assert "unknown_reference" in listed
