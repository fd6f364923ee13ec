"""The tree's sums, the remembered sums, a partner's lines: always what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages_broker import PERIOD, Books, make_books

from pipshare import ledger, partners, statements
from pipshare.ledger.accounts import Key
from pipshare.period import to_ms
from pipshare.statements.arrivals import arrivals
from pipshare.statements.build import balances
from pipshare.statements.earnings import Tree, earned, find_partners
from pipshare.statements.lines import Place, all_lines, by_component, lines
from pipshare.statements.overview import waiting
from pipshare.statements.sums import periods


@pytest.fixture(scope="module")
def books(module_db: Any, scratch: Path) -> Iterator[Books]:
    """A demonstration broker, booked."""
    with module_db.app() as conn:
        yield make_books(conn, scratch / "files")


def _ledger(books: Books) -> dict[int, dict[str, int]]:
    """What every partner was booked in the period, added up from the legs."""
    found: dict[int, dict[str, int]] = {}
    for payee, currency, amount in books.rows(
        "SELECT a.payee_id, a.currency, sum(l.amount_e8)::numeric FROM ledger_leg l"
        " JOIN ledger_account a ON a.id = l.account_id AND a.payee_kind = 'partner'"
        " JOIN ledger_transfer t ON t.id = l.transfer_id WHERE t.period = %s"
        " GROUP BY 1, 2 HAVING sum(l.amount_e8) <> 0", PERIOD,
    ):  # fmt: skip
        found.setdefault(payee, {})[currency] = int(amount)
    return found


def test_own_and_subtree_are_the_sums_of_the_ledger(books: Books) -> None:
    tree, booked = Tree(books.conn, PERIOD), _ledger(books)
    assert len(tree) == 12
    for code in ("IB-100", "IB-110", "IB-111", "IB-200"):
        [node] = tree.nodes(books.conn, [books.partner(code)])
        assert node.own == booked.get(node.id, {})
        below = books.subtree(code)
        assert node.below == len(below) - 1
        wanted: dict[str, int] = {}
        for one in below:
            for currency, amount in booked.get(one, {}).items():
                wanted[currency] = wanted.get(currency, 0) + amount
        assert node.subtree == wanted
    assert [node.code for node in tree.path(books.conn, books.partner("IB-111"))] == [
        "IB-100", "IB-110", "IB-111"
    ]  # fmt: skip


def test_children_come_in_pages(books: Books) -> None:
    tree = Tree(books.conn, PERIOD)
    first, after = tree.children(books.conn, None, None, 2)
    rest, end = tree.children(books.conn, None, after, 2)
    assert [node.code for node in (*first, *rest)] == ["IB-100", "IB-200", "IB-300"]
    assert end is None
    assert tree.children(books.conn, books.partner("IB-111"))[0] == []


def test_a_scope_makes_its_partner_the_root(books: Books) -> None:
    scope = books.subtree("IB-110")
    tree = Tree(books.conn, PERIOD, scope)
    roots, _ = tree.children(books.conn, None)
    assert [node.code for node in roots] == ["IB-110"]
    assert books.partner("IB-100") not in tree
    assert tree.nodes(books.conn, [books.partner("IB-100")]) == []
    assert find_partners(books.conn, "ib-1", scope) == sorted(scope)
    assert set(earned(books.conn, PERIOD, scope)) <= set(scope)


def test_a_search_takes_signs_as_they_are(books: Books) -> None:
    assert find_partners(books.conn, "sofia") == [books.partner("IB-111")]
    assert find_partners(books.conn, "IB-1__") == []
    assert find_partners(books.conn, "%") == []


def test_remembered_sums_take_in_what_is_booked_later(books: Books) -> None:
    who = books.partner("IB-111")
    before = earned(books.conn, PERIOD, [who])[who]
    assert earned(books.conn, PERIOD, [who])[who] == before, "asking twice adds nothing"
    _book(books, who, 12_345)
    inside = earned(books.conn, PERIOD, [who])[who]
    assert inside["EUR"] == before["EUR"] + 12_345, "what is not committed yet is seen by itself"
    books.conn.rollback()
    assert earned(books.conn, PERIOD, [who])[who] == before, "and never remembered"
    _book(books, who, 700)
    books.conn.commit()
    for _ in range(3):
        assert earned(books.conn, PERIOD, [who])[who]["EUR"] == before["EUR"] + 700
    assert earned(books.conn, PERIOD)[who] == _ledger(books)[who]
    assert periods(books.conn) == [PERIOD]


def _book(books: Books, who: int, amount_e8: int) -> None:
    """Book an adjustment of so much for a partner, in the open transaction."""
    payee, house = ledger.Accounts().ids(
        books.conn,
        [Key(1, "partner", who, "EUR", "accrued"), Key(1, "house", 0, "EUR", "expense")],
    )
    day = (date(2026, 11, 20) - date(1970, 1, 1)).days
    one = [np.array([value], np.int64) for value in (day, payee, house, amount_e8)]
    ledger.post(books.conn, entity_id=1, kind="adjustment", cause="test", day=one[0],
                account=one[1], contra=one[2], amount_e8=one[3])  # fmt: skip


def test_lines_come_in_pages_and_are_those_of_the_statement(books: Books) -> None:
    one = partners.partner(books.conn, "IB-110")
    whole = statements.build(books.conn, one.id, one.code, PERIOD).lines
    wanted = sorted(whole.select("ticket", "component", "level", "amount_e8").rows())
    found, after = [], None
    for _ in range(200):
        page, after = lines(books.conn, one.id, PERIOD, after, limit=9)
        found += page
        if after is None:
            break
    assert len(found) > 20
    assert sorted((x.ticket, x.component, x.level, x.amount_e8) for x in found) == wanted
    streamed = list(all_lines(books.conn, one.id, PERIOD))
    assert sorted(map(tuple, streamed), key=str) == sorted(map(tuple, found), key=str)
    sums = {(x.component, x.level, x.currency): x.amount_e8
            for x in by_component(books.conn, one.id, PERIOD)}  # fmt: skip
    by_hand: dict[tuple[str, int, str], int] = {}
    for x in found:
        key = (x.component, x.level, x.currency)
        by_hand[key] = by_hand.get(key, 0) + x.amount_e8
    assert sums == by_hand
    [wallet] = balances(books.conn, one.id, PERIOD)
    assert wallet.closing_e8 == sum(sums.values())


def test_a_page_of_lines_may_be_cut_short(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipshare.statements.lines.PATIENCE_MS", 0)
    who = books.partner("IB-110")
    whole = {tuple(line) for line in all_lines(books.conn, who, PERIOD)}
    found: list[Any] = []
    after: Place | None = None
    for _ in range(500):
        page, after = lines(books.conn, who, PERIOD, after, limit=1000)
        found += map(tuple, page)
        if after is None:
            break
    assert len(found) == len(whole)
    assert set(found) == whole


def test_what_came_in_today(books: Books) -> None:
    [(day, midnight, closed)] = books.rows(
        "SELECT day, extract(epoch FROM min(close_at))::bigint * 1000, count(*) FROM rating_entry e"
        " JOIN trades_trade t USING (server_id, ticket, revision)"
        " WHERE transfer_id <> 0 GROUP BY 1 ORDER BY 1 DESC LIMIT 1"
    )
    found = arrivals(books.conn, today=day, midnight_ms=midnight, now_ms=midnight + 10**9)
    assert found.closed >= closed
    wanted = dict(books.rows(
        "SELECT a.currency, sum(l.amount_e8)::bigint FROM ledger_leg l"
        " JOIN ledger_account a ON a.id = l.account_id AND a.payee_kind = 'partner'"
        " JOIN ledger_transfer t ON t.id = l.transfer_id AND t.earned_day = %s"
        " WHERE t.kind <> 'adjustment' GROUP BY 1", day,
    ))  # fmt: skip
    assert found.accrued == wanted
    now = books.rows("SELECT (extract(epoch FROM now()) * 1000)::bigint")[0][0]
    later = arrivals(books.conn, today=date(2030, 1, 1), midnight_ms=to_ms_of(now), now_ms=now)
    assert later.closed == 0
    assert later.accrued == {}
    assert later.has_trades


def test_what_came_in_today_for_some_partners(books: Books) -> None:
    scope = books.subtree("IB-110")
    [(day, midnight)] = books.rows(
        "SELECT day, extract(epoch FROM min(close_at))::bigint * 1000 FROM rating_entry e"
        " JOIN trades_trade t USING (server_id, ticket, revision)"
        " WHERE transfer_id <> 0 GROUP BY 1 ORDER BY 1 DESC LIMIT 1"
    )
    moments = {"today": day, "midnight_ms": midnight, "now_ms": midnight + 10**9}
    whole, found = arrivals(books.conn, **moments), arrivals(books.conn, **moments, scope=scope)
    assert 0 < found.closed < whole.closed
    assert 0 < found.booked < whole.booked
    assert (found.received, found.has_trades) == (0, True)
    assert found.accrued == dict(books.rows(
        "SELECT a.currency, sum(l.amount_e8)::bigint FROM ledger_leg l"
        " JOIN ledger_account a ON a.id = l.account_id AND a.payee_kind = 'partner'"
        " JOIN ledger_transfer t ON t.id = l.transfer_id AND t.earned_day = %s"
        " WHERE t.kind <> 'adjustment' AND a.payee_id = ANY(%s) GROUP BY 1", day, scope,
    ))  # fmt: skip
    nobody = arrivals(books.conn, **moments, scope=[])
    assert (nobody.closed, nobody.last_hour, nobody.booked, nobody.accrued) == (0, 0, 0, {})


def test_what_waits_for_some_partners(books: Books) -> None:
    scope = books.subtree("IB-110")
    wanted = books.rows(
        "SELECT count(DISTINCT (server_id, ticket)) FROM rating_waiting WHERE partner = ANY(%s)",
        scope,
    )[0][0]
    assert sum(row.trades for row in waiting(books.conn, scope)) >= wanted
    assert {row.reason for row in waiting(books.conn, scope)} <= {
        row[0] for row in books.rows("SELECT DISTINCT reason FROM rating_waiting")
    }
    assert waiting(books.conn, []) == []
    assert waiting(books.conn)


def to_ms_of(now_ms: int) -> int:
    """A midnight after everything."""
    from pipshare.period import from_ms

    return to_ms(from_ms(now_ms + 10**9))
