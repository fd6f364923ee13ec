"""`pipshare kyc`, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from tests.scenarios.small_broker import SmallBroker, manager, manager_row

from pipshare.facts.jurisdictions import Jurisdiction, Jurisdictions

Pipshare = Callable[..., str]
KYC = """[programme]
code = "std"
currency = "USD"
kyc = "hold"
kyc_forfeit_days = 3660

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
rate = [{ level = 1, amount = "5" }]
"""
WORDS = (
    "event,kind,client,at,expires_at,document,country,source\n"
    "k1,kyc_approved,C-2,2026-03-01T10:00:00Z,2099-06-01T00:00:00Z,passport,IR,crm\n"
)


@pytest.fixture
def db(templates: Any) -> Iterator[Any]:
    """A broker of two clients with a lot each, one of them approved, by an Iranian passport."""
    with templates.copy("cli_kyc", _loaded) as database:
        yield database


def _loaded(database: Any) -> None:
    with database.app() as conn, TemporaryDirectory() as folder:
        broker = SmallBroker(conn, Path(folder))
        broker.plan(KYC)
        broker.load("clients", "client,partner\nC-2,P-2\n")
        broker.load("accounts", "server,login,client\nLive-4,1002,C-2\n")
        assert not broker.load("events", WORDS)[0].refused
        broker.bring("a.csv", manager(manager_row(1, "1.00"), manager_row(2, "1.00", Login="1002")))
        conn.commit()


@pytest.fixture
def pipshare(db: Any, cli: Any) -> Pipshare:
    """`pipshare kyc` and `pipshare approve`; each gives what it said."""

    def typed(*arguments: str, code: int = 0) -> str:
        ran = cli("kyc" if arguments[0] != "approve" else "approve",
                  *(arguments if arguments[0] != "approve" else arguments[1:]))  # fmt: skip
        assert ran.status == code, ran
        return str(ran.err if code else ran.out)

    return typed


def test_where_clients_stand_and_what_is_held(pipshare: Pipshare) -> None:
    said = pipshare("list")
    assert "1 approved, 1 unverified" in said
    (one,) = json.loads(pipshare("list", "--state", "approved", "--json"))
    assert (one["code"], one["document"], one["country"]) == ("C-2", "passport", "IR")
    assert one["expires"] == "2099-06-01T00:00:00+00:00"
    (held,) = json.loads(pipshare("held", "--json"))
    assert held == {"client": "C-1", "state": "unverified", "held": {"USD": "5.00"},
                    "since": "2026-03-02", "forfeits": "2036-03-10"}  # fmt: skip
    assert "C-1" in pipshare("held")


def test_documents_that_end_soon(pipshare: Pipshare) -> None:
    assert "No document of an approved client ends within 30 days" in pipshare("expiring")
    assert "said 30 and 7 days before" in pipshare("warn")
    assert "said 60 and 5 days before" in pipshare("warn", "5", "60")
    assert "within 60 days" in pipshare("expiring")
    assert "said never" in pipshare("warn", "--never")
    assert "1 to 366" in pipshare("warn", "0", code=1)


def test_a_country_is_blocked_seen_and_unblocked_by_two(pipshare: Pipshare) -> None:
    assert "No country is blocked" in pipshare("blocked")
    said = pipshare("block", "ir", "--reason", "sanctions", "--from", "2026-03-01", "--by", "anna")
    assert "proposal 1" in said
    pipshare("approve", "1", "--by", "ben")
    (one,) = json.loads(pipshare("blocked", "--cost", "--json"))
    assert (one["country"], one["blocked"], one["clients"]) == ("IR", True, 1)
    assert one["now"]["from"] == "2026-03-01T00:00:00+00:00"
    assert (one["trades"], one["unpaid"]) == (1, {"USD": "5.00"})
    assert "5.00 USD" in pipshare("blocked", "--cost")
    assert "is blocked in main" in pipshare("block", "CU", "--reason", "sanctions")
    assert "blocked already" in pipshare("block", "CU", "--reason", "again", code=1)
    assert "did you mean GB?" in pipshare("block", "UK", "--reason", "x", code=1)
    said = pipshare("unblock", "IR", "--reason", "lifted", "--from", "2026-03-01", "--by", "anna")
    assert "proposal 2" in said
    assert "somebody else" in pipshare("approve", "2", "--by", "ANNA", code=1)
    again = pipshare("unblock", "IR", "--reason", "so", "--from", "2026-03-02", code=1)
    assert "unblocking IR waits for a second person already: proposal 2 of anna" in again
    assert "Proposal 2 waits for a second person" in pipshare("blocked")
    pipshare("approve", "2", "--by", "ben")
    found = {one["country"]: one["blocked"] for one in json.loads(pipshare("blocked", "--json"))}
    assert found == {"CU": True, "IR": False}


def test_every_block_in_force_and_to_come_is_listed_by_the_brokers_clock(
    pipshare: Pipshare, db: Any
) -> None:
    with db.app() as conn:
        conn.execute("UPDATE market_entity SET clock = 'Europe/Nicosia'")
    for counts, since in (("residence", "2026-03-01"), ("either", "2026-04-01")):
        said = pipshare("block", "IR", "--counts", counts, "--reason", counts, "--from", since,
                        "--by", "anna")  # fmt: skip
        pipshare("approve", said.split("proposal ")[1].split(".")[0], "--by", "ben")
    pipshare("block", "IR", "--counts", "document", "--reason", "later", "--from", "2099-01-01")
    told = [" ".join(line.split()) for line in pipshare("blocked", "--cost").splitlines()]
    assert "Countries (times by the clock of main: Europe/Nicosia)" in told
    assert [line.split(" 1 ")[0] for line in told if line.startswith("IR")] == [
        "IR blocked 2026-03-01 00:00 2026-04-01 00:00 residence",
        "IR blocked 2026-04-01 00:00 2099-01-01 00:00 either",
        "IR will be blocked 2099-01-01 00:00 document",
    ]
    (one,) = json.loads(pipshare("blocked", "--json"))
    assert [it["counts"] for it in (*one["before"], one["now"], *one["later"])] == [
        "residence", "either", "document",
    ]  # fmt: skip
    assert "2026-03-01 12:00" in pipshare("list")  # 10:00 UTC


def test_what_was_overruled_before_it_began_never_holds() -> None:
    said = [("residence", 10), ("either", 30), ("document", 20)]
    records = tuple(Jurisdiction("IR", True, counts, at, 0, "anna", "x")  # type: ignore[arg-type]
                    for counts, at in said)  # fmt: skip
    course = Jurisdictions(records).course("IR")
    assert [one.counts for one in course] == ["residence", "document"]
