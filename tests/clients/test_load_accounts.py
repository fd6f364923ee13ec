"""Accounts: owners, states over time, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from client_files import build, counts, load
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipshare import audit, clients, market
from pipshare.errors import Missing
from pipshare.period import to_ms

ACCOUNTS = """
    server,login,client,group,currency,status,valid_from
    Live,10,c1,real\\std,USD,active,
    Live,11,c1,real\\cent,USC,,
    Live,10,c1,real\\vip,,,2026-03-01
    Old,10,c1,,,direct,
"""


def utc(*parts: int) -> int:
    return to_ms(datetime(*parts, tzinfo=UTC))


@pytest.fixture
def conn(db):
    with db.app() as conn:
        build(conn)
        yield conn


def snapshot(conn, server: str = "Live", logins=None):
    found = clients.accounts(conn, market.server(conn, server).id, logins)
    states = [row[1:] for row in found.states.rows()]
    return found.login.tolist(), found.code.to_list(), states


def test_accounts_and_their_states(conn):
    assert counts(load(conn, "accounts", ACCOUNTS)) == (4, 0, 0, 0, 0)
    march = utc(2026, 2, 28, 22)  # the entity's day begins at 22:00 UTC in winter
    assert snapshot(conn) == ([10, 11], ["c1", "c1"], [
        (0, "real\\std", "USD", "active"),
        (march, "real\\vip", "USD", "active"),
        (0, "real\\cent", "USC", "active"),
    ])  # fmt: skip
    assert snapshot(conn, "Old") == ([10], ["c1"], [(0, "", "USD", "direct")])
    assert snapshot(conn, logins=np.array([11, 99, 11])) == (
        [11], ["c1"], [(0, "real\\cent", "USC", "active")]
    )  # fmt: skip
    assert snapshot(conn, logins=np.zeros(0, np.int64)) == ([], [], [])


def test_the_same_file_again_is_all_same(conn):
    load(conn, "accounts", ACCOUNTS)
    before = snapshot(conn)
    report = load(conn, "accounts", ACCOUNTS)
    assert counts(report) == (0, 0, 4, 0, 0)
    assert report.from_ms is None
    assert snapshot(conn) == before


def test_a_change_keeps_what_it_does_not_tell(conn):
    load(conn, "accounts", ACCOUNTS)
    text = "server,login,client,status,valid_from\nLive,11,c1,excluded,2026-05-01T00:00:00Z\n"
    report = load(conn, "accounts", text)
    assert counts(report) == (0, 1, 0, 0, 0)
    assert report.from_ms == utc(2026, 5, 1)
    assert snapshot(conn)[2][-1] == (utc(2026, 5, 1), "real\\cent", "USC", "excluded")


def test_state_at_a_moment_says_whether_it_was_observed(conn):
    text = """
        server,login,client,group,valid_from
        Live,10,c1,a,2026-01-01T00:00:00Z
        Live,10,c1,b,2026-02-01T00:00:00Z
        Live,10,c1,c,2026-03-01T00:00:00Z
        Live,11,c1,d,
    """
    load(conn, "accounts", text)
    found = clients.accounts(conn, market.server(conn, "Live").id)
    first, second = found.account_id.tolist()
    asked = [(first, m) for m in (utc(2025, 1, 1), utc(2026, 1, 1), utc(2026, 2, 1), 2**41)]
    asked += [(second, 0), (second + 1000, 5)]
    place, observed = found.state_at(*np.array(asked, np.int64).T)
    names = ["" if p < 0 else found.states["group_name"][int(p)] for p in place]
    assert names == ["a", "a", "b", "c", "d", ""]
    assert observed.tolist() == [False, True, True, True, True, False]


def test_what_is_refused(conn):
    text = """
        server,login,client,currency,status,valid_from
        Liv,1,c1,,,
        Live,2,nobody,,,
        Live,0,c1,,,
        Live,3,c1,US$,,
        Live,4,c1,,closed,
        Live,5,c1,,,
        Live,5,c2,,,
        Live,6,c1,USD,,2026-01-01
        Live,6,c1,EUR,,2026-01-01
        Old,7,c2,,,
        Live,8,c1,,,
        Live,8,c1,,,
    """
    report = load(conn, "accounts", text)
    assert counts(report) == (1, 0, 1, 10, 0)
    assert [r.code for r in report.refused] == [
        "unknown_server", "unknown_client", "bad_login", "not_a_currency", "not_a_choice",
        "said_twice", "said_twice", "said_twice", "said_twice", "unknown_client",
    ]  # fmt: skip
    assert [r.line for r in report.refused] == list(range(2, 12))
    assert "(did you mean Live?); load it first with" in report.refused[0].reason
    assert "field client: nobody is not known in the server's entity" in report.refused[1].reason
    assert snapshot(conn)[0] == [8]


def test_an_undated_change_after_a_history_is_refused(conn):
    load(conn, "accounts", ACCOUNTS)
    text = "server,login,client,group\nLive,10,c1,other\nLive,11,c1,other\n"
    report = load(conn, "accounts", text)
    assert counts(report) == (0, 1, 0, 1, 0)
    assert report.from_ms == 0
    assert report.refused[0].reason.startswith("line 2, account 10: has changed over time, so a")


def test_another_owner_needs_two_people(conn):
    load(conn, "accounts", ACCOUNTS)
    text = "server,login,client,group\nLive,11,c2,real\\cent\n"
    alone = load(conn, "accounts", text)
    assert counts(alone) == (0, 0, 0, 1, 0)
    assert alone.refused[0].code == "other_owner"
    assert "account 11 on Live belongs to c1, not to c2; if that was wrong, load the row again " \
        "with --reason and --by" in alone.refused[0].reason  # fmt: skip
    report = load(conn, "accounts", text, by="ann", reason="merged in the CRM")
    assert counts(report) == (0, 0, 0, 0, 1)
    assert snapshot(conn)[1] == ["c1", "c1"]
    appliers = {"account_owner": clients.apply_owner}
    assert audit.approve(conn, report.proposed[0], "bob", appliers).outcome == 0
    assert snapshot(conn)[1] == ["c1", "c2"]
    assert snapshot(conn, logins=np.array([11]))[1] == ["c2"]
    assert counts(load(conn, "accounts", text)) == (0, 0, 1, 0, 0)
    with pytest.raises(Missing, match="the client nobody is not known"):
        clients.apply_owner(conn, {"server": "Live", "login": 11, "client": "nobody"}, "x")


def test_a_load_that_would_move_a_thousand_accounts_is_refused(conn, monkeypatch):
    monkeypatch.setattr(clients.owner, "MOST", 1)
    load(conn, "accounts", ACCOUNTS)
    text = "server,login,client\nLive,10,c2\nLive,11,c2\n"
    report = load(conn, "accounts", text, by="ann", reason="why not")
    assert [r.code for r in report.refused] == ["many_owners", "many_owners"]


def test_dry_run_and_header_only(conn):
    conn.commit()
    assert load(conn, "accounts", ACCOUNTS, dry_run=True).added == 4
    conn.rollback()
    assert snapshot(conn)[0] == []
    assert counts(load(conn, "accounts", "server,login,client")) == (0, 0, 0, 0, 0)


ROWS = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.sampled_from([None, 1, 2, 3]),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "active", "disabled"]),
    ),
    max_size=6,
)


@given(first=ROWS, second=ROWS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_two_files_again_change_nothing(module_db, first, second):
    def text(rows: list) -> str:
        lines = [
            f"Live,{login},c1,{group},{status},{'' if day is None else f'2026-01-0{day}'}"
            for login, day, group, status in rows
        ]
        return "\n".join(["server,login,client,group,status,valid_from", *lines])

    with module_db.app() as conn:
        build(conn)
        load(conn, "accounts", text(first))
        load(conn, "accounts", text(second))
        before = snapshot(conn)
        again = load(conn, "accounts", text(second))
        assert (again.added, again.changed, again.from_ms) == (0, 0, None)
        assert snapshot(conn) == before
        conn.rollback()
