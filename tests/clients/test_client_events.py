"""Events in the database: identity and revisions, waits, who is touched, what can be read."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from client_files import build, counts, load

from pipshare import clients
from pipshare.facts.reading import read_table
from pipshare.period import to_ms

NOW = to_ms(datetime(2026, 6, 1, tzinfo=UTC))
HEAD = ("event,kind,at,client,entity,source,amount,currency,reference,server,login,country,credit,"
        "equity,version,expires_at")  # fmt: skip


def row(event: str, kind: str, at: str, client: str = "", **more: object) -> str:
    told = {"event": event, "kind": kind, "at": f"{at}T00:00:00Z", "client": client, **more}
    return ",".join(str(told.get(name, "")) for name in HEAD.split(","))


@pytest.fixture
def conn(db):
    with db.app() as conn:
        build(conn)
        load(conn, "accounts", "server,login,client\nLive,1,c1\nLive,2,c2\n")
        yield conn


def take(conn, *rows: str, now: int = NOW) -> clients.TakenEvents:
    frame, refused = read_table("\n".join([HEAD, *rows]).encode(), "events")
    taken = clients.take_events(conn, frame, by="tests", now_ms=now)
    taken.report.unread(refused)
    return taken


def touched(conn) -> dict[str, str]:
    rows = conn.execute("SELECT c.code || ' ' || e.code, t.since FROM clients_touched t"
                        " JOIN clients_client c ON c.id = t.client_id JOIN market_entity e ON"
                        " e.id = c.entity_id ORDER BY 1")  # fmt: skip
    found = {code: since.astimezone(UTC).date().isoformat() for code, since in rows}
    conn.execute("DELETE FROM clients_touched")
    return found


def waits(conn) -> list[tuple[str, str, str]]:
    return [(one[0], one[1], one[3]) for one in clients.waiting_events(conn)]


def id_of(conn, code: str, entity: str = "main") -> int:
    return conn.execute("SELECT c.id FROM clients_client c JOIN market_entity e ON e.id ="
                        " c.entity_id WHERE c.code = %s AND e.code = %s", (code, entity)
                        ).fetchone()[0]  # fmt: skip


DEPOSIT = row("d1", "deposit", "2026-03-02", "c1", amount="100", currency="usd", source="crm")


def test_the_same_again_is_nothing_and_other_content_is_a_revision(conn):
    first = take(conn, DEPOSIT)
    assert counts(first.report) == (1, 0, 0, 0, 0)
    assert touched(conn) == {"c1 main": "2026-03-02"}
    again = take(conn, DEPOSIT, DEPOSIT)
    assert counts(again.report) == (0, 0, 2, 0, 0)
    assert touched(conn) == {}
    other = take(conn, row("d1", "deposit", "2026-03-05", "c1", amount="90", currency="USD",
                           source="crm", version="2"))  # fmt: skip
    assert other.verdicts["verdict"].to_list() == ["revised"]
    assert touched(conn) == {"c1 main": "2026-03-02"}  # from the earlier of the two moments
    late = take(conn, row("d1", "deposit", "2026-03-09", "c1", amount="1", currency="USD",
                          source="crm", version="1"))  # fmt: skip
    assert late.verdicts["verdict"].to_list() == ["older"]
    (held,) = clients.events_of(conn, [id_of(conn, "c1")]).to_dicts()
    assert (held["amount_e8"], held["version"]) == (90 * 10**8, 2)
    psp = take(conn, DEPOSIT.replace(",crm,", ",psp,"))
    assert psp.verdicts["verdict"].to_list() == ["new"]  # another source, another event


def test_a_revision_may_name_another_client_and_touches_both(conn):
    take(conn, DEPOSIT)
    touched(conn)
    take(conn, DEPOSIT.replace(",c1,", ",c2,"))
    assert touched(conn) == {"c1 main": "2026-03-02", "c2 main": "2026-03-02"}
    assert len(clients.events_of(conn, [id_of(conn, "c1")])) == 0
    assert len(clients.events_of(conn, [id_of(conn, "c2")])) == 1


def test_what_cannot_be_is_refused(conn):
    taken = take(
        conn, row("1", "deposit", "2026-06-02", "c1", amount="5", currency="USD"),
        row("2", "kyc_approved", "2026-05-02", "c1", entity="nine"),
        row("3", "deposit", "2026-05-02", "c1", amount="-5", currency="USD"),
        row("4", "qualified", "2026-05-02", "c1"),
    )  # fmt: skip
    assert counts(taken.report) == (1, 0, 0, 3, 0)
    assert [one.code for one in taken.report.refused] == [
        "in_the_future", "unknown_entity", "negative_amount",
    ]  # fmt: skip
    assert taken.verdicts.rows() == [(5, "new", "")]


def test_a_reversal_before_its_original_waits_and_is_taken_up(conn):
    early = take(conn, row("r1", "deposit_reversed", "2026-03-04", "c1", reference="d1",
                           source="crm"))  # fmt: skip
    assert early.verdicts["waits"].to_list() == ["unknown_reference"]
    assert "1 event waits" in early.report.notes[0]
    assert waits(conn) == [("unknown_reference", "d1", "r1")]
    (alone,) = clients.events_of(conn, [id_of(conn, "c1")]).to_dicts()
    assert alone["original"] == -1
    touched(conn)
    take(conn, DEPOSIT)
    assert waits(conn) == []
    assert touched(conn) == {"c1 main": "2026-03-02"}
    both = clients.events_of(conn, [id_of(conn, "c1")])
    assert both.select("event", "original").rows() == [("d1", -1), ("r1", 0)]


def test_unknown_clients_and_accounts_wait_until_they_are_loaded(conn):
    taken = take(
        conn, row("1", "registration", "2026-02-01", "new"),
        row("2", "account_snapshot", "2026-02-02", server="Live", login="9", credit="1",
            equity="5"),
        row("3", "deposit", "2026-02-03", "new", amount="7", currency="USD"),
    )  # fmt: skip
    assert taken.verdicts["waits"].to_list() == ["unknown_client", "unknown_account",
                                                 "unknown_client"]  # fmt: skip
    assert touched(conn) == {}
    assert len(clients.events_of(conn)) == 0
    load(conn, "clients", "client,entity\nnew,two\n")
    assert len(waits(conn)) == 3  # a client of that code in another entity
    load(conn, "clients", "client\nnew\n")
    assert touched(conn) == {"new main": "2026-02-01"}
    assert waits(conn) == [("unknown_account", "Live 9", "2")]
    load(conn, "accounts", "server,login,client\nLive,9,new\n")
    assert waits(conn) == []
    assert touched(conn) == {"new main": "2026-02-02"}
    assert clients.events_of(conn)["event"].to_list() == ["1", "3"]
    assert len(clients.events_of(conn, kinds=(clients.SNAPSHOT,))) == 1


def test_the_end_is_the_same_in_whatever_order_events_come(conn):
    rows = [
        DEPOSIT,
        row("d1", "deposit", "2026-03-03", "c1", amount="90", currency="USD", source="crm",
            version="2"),
        row("r1", "deposit_reversed", "2026-03-04", "c1", reference="d1", source="crm"),
        row("o1", "chargeback_opened", "2026-03-05", "c1", reference="d1", source="crm"),
        row("w1", "chargeback_won", "2026-03-06", "c1", reference="o1", source="crm"),
        row("k1", "kyc_approved", "2026-03-01", "c1", source="crm"),
    ]  # fmt: skip
    ends = []
    for seed in range(4):
        random.Random(seed).shuffle(rows)
        for place in range(0, len(rows), 1 + seed):
            take(conn, *rows[place : place + 1 + seed])
        ends.append((clients.events_of(conn).drop("line", "client_id"), waits(conn), touched(conn)))
        conn.rollback()
        build(conn)
    for held, waiting, who in ends:
        assert held.equals(ends[0][0])
        assert waiting == []
        assert who == {"c1 main": "2026-03-01"}
    assert ends[0][0]["original"].to_list() == [-1, -1, 1, 1, 1]


def test_what_was_true_of_clients_at_moments(conn):
    load(conn, "clients", "client,country,valid_from\nc1,DE,2026-04-01\n")
    take(
        conn, row("1", "registration", "2026-02-01", "c1", country="cy"),
        row("2", "kyc_approved", "2026-03-01", "c1", expires_at="2026-04-01T00:00:00Z"),
        row("3", "qualified", "2026-03-01", "c1"), row("4", "qualified", "2026-03-10", "c1"),
        row("5", "unqualified", "2026-03-20", "c1"), row("6", "kyc_rejected", "2026-05-01", "c1"),
        row("7", "account_snapshot", "2026-03-01", server="Live", login="1", credit="25",
            equity="100"),
        row("8", "account_snapshot", "2026-03-02", server="Live", login="1", credit="50",
            equity="100"),
    )  # fmt: skip
    days = ["2026-01-01", "2026-03-01", "2026-03-15", "2026-03-20", "2026-04-01", "2026-05-02"]
    moments = np.array([to_ms(datetime.fromisoformat(f"{day}T00:00:00+00:00")) for day in days])
    c1, c2 = id_of(conn, "c1"), id_of(conn, "c2")
    ids = np.array([c1] * len(days) + [c2], np.int64)
    found = clients.standing_columns(conn, ids, np.append(moments, moments[-1]))
    assert found.kyc.tolist() == [0, 1, 1, 1, 3, 2, 0]
    march = to_ms(datetime(2026, 3, 1, tzinfo=UTC))
    assert found.qualified_ms.tolist() == [-1, march, march, -1, -1, -1, -1]
    february = to_ms(datetime(2026, 2, 1, tzinfo=UTC))
    assert found.registered_ms.tolist() == [february] * 6 + [0]
    assert found.country.to_list() == ["CY"] * 4 + ["DE", "DE", ""]
    server = conn.execute("SELECT id FROM market_server WHERE code = 'Live'").fetchone()[0]
    logins = np.array([1, 1, 1, 2], np.int64)
    asked = np.array([march, march + 1, march + 3 * 86_400_000, march + 1])
    seen = clients.snapshot_columns(conn, server, logins, asked)
    assert seen.credit_e8.tolist() == [0, 25 * 10**8, 50 * 10**8, 0]
    assert seen.age_ms.tolist() == [-1, 1, 2 * 86_400_000, -1]


def test_nothing_asked_is_nothing_answered(conn):
    none = np.zeros(0, np.int64)
    assert len(clients.standing_columns(conn, none, none).kyc) == 0
    assert clients.events_of(conn, []).schema == pl.Schema(clients.HELD)
    assert counts(take(conn).report) == (0, 0, 0, 0, 0)


def test_an_account_that_changes_hands_takes_its_events_along(conn):
    take(
        conn, row("1", "deposit", "2026-02-01", server="Live", login="1", amount="9",
                  currency="USD"),
        row("2", "deposit", "2026-02-02", "c1", server="Live", login="1", amount="9",
            currency="USD"),
    )  # fmt: skip
    touched(conn)
    payload = {"server": "Live", "login": 1, "was": "c1", "client": "c2", "reason": "wrong file"}
    clients.apply_owner(conn, payload, "anna + ben")
    assert touched(conn) == {"c1 main": "2026-02-01", "c2 main": "2026-02-01"}
    assert clients.events_of(conn, [id_of(conn, "c2")])["event"].to_list() == ["1"]
    assert clients.events_of(conn, [id_of(conn, "c1")])["event"].to_list() == ["2"]
    clients.apply_owner(conn, payload | {"login": 2}, "anna + ben")
    assert touched(conn) == {}
