"""Loading partners: any order of parents, cycles, history, wallets, what needs a second person."""

from __future__ import annotations

import pytest
from partner_world import approve, clients, counts, load, parents, reasons

from pipshare import partners
from pipshare.errors import BadInput, Conflict, Missing
from pipshare.period import FOREVER_MS

SIGNED = {"by": "Anna", "reason": "new desk"}
TREE = """
    partner,parent,name,currency
    C,B,Carl,EUR
    B,A,Bea,USD
    A,,Ada,USD
"""


@pytest.fixture
def conn(db):
    with db.app() as connection:
        yield connection


def test_parents_come_in_any_order_and_the_same_file_again_changes_nothing(conn) -> None:
    assert counts(load(conn, "partners", TREE)) == {"added": 3}
    assert parents(conn, "2020-01-01") == {"A": None, "B": "A", "C": "B"}
    again = load(conn, "partners", TREE)
    assert counts(again) == {"same": 3}
    assert again.from_ms is None


def test_a_cycle_is_refused_by_name_and_lines_and_the_good_rows_stay(conn) -> None:
    report = load(
        conn,
        "partners",
        """
        partner,parent
        root,
        A,C
        B,A
        C,B
        D,C
        R,
        S,R
        """.replace("root,\n", "Z,\n"),
    )
    assert counts(report) == {"added": 3, "refused": 4}
    said = reasons(report)
    assert said[3] == (
        "line 3: A -> C -> B -> A is a cycle (lines 3, 4, 5): give one of them another parent"
    )
    assert "cycle" in said[4]
    assert "cycle" in said[5]
    assert said[6].startswith("line 6: parent 'C' of D is not known in entity main")
    assert set(parents(conn, "2020-01-01")) == {"Z", "R", "S"}


def test_a_cycle_that_holds_only_for_a_while_is_found(conn) -> None:
    load(conn, "partners", "partner,parent\nA,\nB,A\n")
    text = "kind,code,partner,valid_from,valid_to\npartner,A,B,2026-03-01,2026-04-01\n"
    report = load(conn, "relations", text, **SIGNED)
    assert reasons(report)[2] == (
        "line 2: A -> B -> A is a cycle from 2026-03-01 on (line 2, with relations recorded"
        " before): give one of them another parent"
    )


def test_two_who_change_places_at_one_moment_are_no_cycle(conn) -> None:
    load(conn, "partners", "partner,parent\nA,\nB,A\n")
    swap = """
        kind,code,partner,valid_from
        partner,A,B,2026-03-01
        partner,B,root,2026-03-01
    """
    report = load(conn, "relations", swap, **SIGNED)
    assert counts(report) == {"proposed": 2}
    approve(conn, report)
    assert parents(conn, "2026-02-28") == {"A": None, "B": "A"}
    assert parents(conn, "2026-03-01") == {"A": "B", "B": None}


def test_bad_rows_are_refused_with_what_to_do(conn) -> None:
    clients(conn, "K-1")
    load(conn, "partners", "partner,currency\nP-1,USD\nBoss-1,USD\n")
    report = load(
        conn,
        "partners",
        """
        partner,parent,currency,own_client,entity
        P-2,Boss1,USD,,
        P-3,P-3,USD,,
        P-1,,EUR,,
        direct,,USD,,
        P-4,,USD,K-9,
        P-5,,USD,K-1,
        P-6,,USD,,
        P-6,P-1,USD,,
        P-7,,USD,,nowhere
        P-8,,USD,,
        P-8,,USD,,
        """,
    )
    said = reasons(report)
    assert "parent 'Boss1' of P-2 is not known in entity main (did you mean Boss-1?)" in said[2]
    assert "own parent" in said[3]
    assert "balances exist in it: it cannot become EUR" in said[4]
    assert "cannot be a partner's code" in said[5]
    assert "own_client 'K-9'" in said[6]
    assert "P-6 comes twice (lines 8, 9)" in said[8]
    assert "P-6 comes twice (lines 8, 9)" in said[9]
    assert "entity 'nowhere' is not known" in said[10]
    assert counts(report) == {"added": 2, "same": 1, "refused": 8}


def test_rows_of_one_partner_with_moments_of_their_own_are_his_history(conn) -> None:
    report = load(
        conn,
        "partners",
        """
        partner,parent,status,valid_from,name
        B,A,,,Bea
        B,,suspended,2026-01-01,Bea B.
        B,,active,2026-02-01,
        A,,,,
        """,
    )
    assert counts(report) == {"added": 4}
    told = partners.info(conn)
    b = told.ids[told.codes.index("B")]
    who, start, code = told.status
    assert code[who == b].tolist() == [0, 1, 0]
    assert start[who == b].tolist()[0] == 0
    assert partners.partner(conn, "B").name == "Bea B."
    assert parents(conn, "2026-01-15")["B"] == "A"


def test_of_somebody_known_only_what_the_file_tells_changes(conn) -> None:
    clients(conn, "K-1")
    load(conn, "partners", TREE)
    report = load(conn, "partners", "partner,status,valid_from\nB,terminated,2026-05-01\n")
    assert counts(report) == {"changed": 1}
    assert report.from_ms == 1_777_593_600_000
    report = load(conn, "partners", "partner,own_client\nC,K-1\n")
    assert (counts(report), report.from_ms) == ({"changed": 1}, 0)
    carl = partners.partner(conn, "C")
    assert (carl.name, carl.currency, carl.own_client_id) == ("Carl", "EUR", 1)
    assert parents(conn, "2026-06-01") == {"A": None, "B": "A", "C": "B"}
    # The first file again does not take the termination back.
    assert counts(load(conn, "partners", TREE.replace("currency", "currency"))) == {"same": 3}
    assert (partners.info(conn).status[2] == 2).sum() == 1


def test_a_status_holds_until_the_next_one_whatever_came_first(conn) -> None:
    load(conn, "partners", "partner\nA\n")
    load(conn, "partners", "partner,status,valid_from\nA,terminated,2026-05-01\n")
    earlier = load(conn, "partners", "partner,status,valid_from\nA,suspended,2026-02-01\n")
    assert (counts(earlier), earlier.from_ms) == ({"changed": 1}, 1_769_904_000_000)
    assert partners.info(conn).status[2].tolist() == [0, 1, 2]
    undated = load(conn, "partners", "partner,status\nA,suspended\n")
    assert "give valid_from" in reasons(undated)[2]
    assert counts(load(conn, "partners", "partner,status\nA,active\n")) == {"same": 1}


def test_who_begins_suspended_was_active_before(conn) -> None:
    load(conn, "partners", "partner,status,valid_from\nA,active,2026-02-01\n")
    report = load(conn, "partners", "partner,status,valid_from\nA,suspended,2026-01-01\n")
    assert report.from_ms == 1_767_225_600_000


def test_another_parent_needs_a_reason_a_name_and_a_second_person(conn) -> None:
    load(conn, "partners", TREE)
    move = "partner,parent,valid_from\nC,A,2026-03-01\n"
    refused = load(conn, "partners", move)
    assert (
        "partner C is under B; to move to A (from 2026-03-01) give --reason" in reasons(refused)[2]
    )
    proposed = load(conn, "partners", move, **SIGNED)
    assert counts(proposed) == {"proposed": 1}
    assert load(conn, "partners", move, **SIGNED).proposed == proposed.proposed
    assert parents(conn, "2026-03-01")["C"] == "B"
    with pytest.raises(Conflict, match="somebody else"):
        approve(conn, proposed, by="ANNA")
    assert approve(conn, proposed) == [1_772_323_200_000]
    assert parents(conn, "2026-02-28")["C"] == "B"
    assert parents(conn, "2026-03-01")["C"] == "A"
    assert counts(load(conn, "partners", move)) == {"same": 1}
    record = conn.execute(
        "SELECT recorded_by, reason FROM partners_parent ORDER BY id DESC LIMIT 1"
    ).fetchone()
    assert record == ("Anna + Boris", "new desk")


def test_an_approval_that_would_now_make_a_cycle_is_refused(db) -> None:
    with db.app() as conn:
        load(conn, "partners", "partner,parent\nA,\nB,\nC,\n")
        one = load(conn, "partners", "partner,parent\nA,B\n", **SIGNED)
        other = load(conn, "partners", "partner,parent\nB,A\n", **SIGNED)
        approve(conn, one)
    with pytest.raises(Conflict, match=r"can no longer be approved.*A -> B -> A"), db.app() as conn:
        approve(conn, other)
    with db.app() as conn:
        assert parents(conn, "2026-01-01") == {"A": "B", "B": None, "C": None}


def test_go_live_of_a_new_partner_is_taken_a_change_is_proposed(conn) -> None:
    report = load(conn, "partners", "partner,go_live\nA,2026-01-01\nB,\n")
    assert counts(report) == {"added": 2}
    change = "partner,go_live\nA,2026-02-01\nB,2026-01-01\n"
    assert len(reasons(load(conn, "partners", change))) == 2
    report = load(conn, "partners", change, **SIGNED)
    assert counts(report) == {"proposed": 2}
    assert approve(conn, report) == [1_767_225_600_000, 0]
    assert partners.info(conn).go_live_ms.tolist() == [1_769_904_000_000, 1_767_225_600_000]
    assert counts(load(conn, "partners", change)) == {"same": 2}


def test_a_deep_tree_and_its_subtrees(conn) -> None:
    rows = "".join(f"L{i},{f'L{i - 1}' if i else ''}\n" for i in range(64))
    load(conn, "partners", f"partner,parent\n{rows}")
    ids = {code: partners.partner(conn, code).id for code in ("L0", "L60", "L61", "L62", "L63")}
    below = [ids[code] for code in ("L60", "L61", "L62", "L63")]
    assert partners.subtree(conn, ids["L60"], 0) == sorted(below)
    assert len(partners.subtree(conn, ids["L0"])) == 64
    deeper = load(conn, "partners", "partner,parent\nL64,L63\nL65,L64\n")
    assert "would be 65 levels; a tree has at most 64" in reasons(deeper)[2]
    assert "would be 66 levels" in reasons(deeper)[3]


def test_a_subtree_is_that_of_its_moment(conn) -> None:
    load(conn, "partners", TREE)
    approve(
        conn, load(conn, "partners", "partner,parent,valid_from\nC,root,2026-03-01\n", **SIGNED)
    )
    march = 1_772_323_200_000
    assert partners.subtree(conn, partners.partner(conn, "A").id, march - 1) == [1, 2, 3]
    names = {partners.partner(conn, c).id for c in "AB"}
    assert set(partners.subtree(conn, partners.partner(conn, "A").id, march)) == names


def test_partners_are_found_by_code_and_entity(conn) -> None:
    conn.execute("INSERT INTO market_entity (code) VALUES ('fsa')")
    load(conn, "partners", "partner,entity\nP-12,main\nP-12,fsa\nQ-1,fsa\n")
    with pytest.raises(BadInput, match="exists in main, fsa"):
        partners.partner(conn, "P-12")
    assert partners.partner(conn, "P-12", "fsa").entity == "fsa"
    assert partners.partner(conn, "Q-1").entity == "fsa"
    with pytest.raises(Missing, match=r"no partner 'P-13' in entity main \(did you mean P-12\?\)"):
        partners.partner(conn, "P-13", "main")


def test_parents_of_another_entity_are_not_known(conn) -> None:
    conn.execute("INSERT INTO market_entity (code) VALUES ('fsa')")
    report = load(conn, "partners", "partner,entity,parent\nA,main,\nB,fsa,A\n")
    assert "parent 'A' of B is not known in entity fsa" in reasons(report)[3]


def test_what_we_knew_then(conn) -> None:
    load(conn, "partners", TREE)
    conn.commit()
    (then,) = conn.execute(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
    ).fetchone()
    approve(conn, load(conn, "partners", "partner,parent,valid_from\nC,A,2025-01-01\n", **SIGNED))
    assert parents(conn, "2025-06-01")["C"] == "A"
    assert parents(conn, "2025-06-01", known_at=then + 1)["C"] == "B"


def test_info_is_in_columns(conn) -> None:
    load(conn, "partners", TREE)
    told = partners.info(conn)
    wallets = {code: told.currencies[told.currency[i]] for i, code in enumerate(told.codes)}
    assert wallets == {"A": "USD", "B": "USD", "C": "EUR"}
    assert told.go_live_ms.tolist() == [0, 0, 0]
    assert told.own_client.tolist() == [-1, -1, -1]
    assert FOREVER_MS not in told.status[1]
