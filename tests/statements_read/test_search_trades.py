"""Trades are found by number, by what they wait for, and back in time, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages_broker import Books, make_books

from pipshare.statements.search import After, Asked, Page, search


@pytest.fixture(scope="module")
def books(module_db: Any, scratch: Path) -> Iterator[Books]:
    """A demonstration broker, booked."""
    with module_db.app() as conn:
        yield make_books(conn, scratch / "files")


def _through(books: Books, asked: Asked, limit: int = 7, **options: Any) -> list[tuple[int, int]]:
    """Follow a search from page to page; return what was on them."""
    found: list[tuple[int, int]] = []
    after: After | None = None
    for _ in range(500):
        page: Page = search(books.conn, asked, after, limit=limit, **options)
        found += [(one.server_id, one.ticket) for one in page.trades]
        after = page.after
        if after is None:
            return found
    raise AssertionError("the pages never end")


def test_the_pages_hold_every_trade_once_in_order(books: Books) -> None:
    wanted = books.rows("SELECT server_id, ticket FROM trades_current"
                        " ORDER BY close_at DESC, server_id DESC, ticket DESC")  # fmt: skip
    assert _through(books, Asked(), limit=37) == wanted


def test_pages_that_end_before_they_are_full_hold_every_trade_once(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipshare.statements.search.is_small", lambda conn: False)
    wanted = books.rows("SELECT server_id, ticket FROM trades_current WHERE symbol ILIKE 'xau%%'"
                        " ORDER BY close_at DESC, server_id DESC, ticket DESC")  # fmt: skip
    assert len(wanted) > 10
    told = Asked(symbol="xau")
    assert _through(books, told, go_on=lambda found: False) == wanted
    page = search(books.conn, told, go_on=lambda found: False)
    assert page.looked_to_ms is not None
    assert all(one.close_utc_ms >= page.looked_to_ms for one in page.trades)


@pytest.mark.parametrize(
    ("asked", "condition"),
    [
        (Asked(symbol="eur"), "symbol ILIKE 'eur%%'"),
        (Asked(symbol="%"), "false"),
        (Asked(state="cancelled"), "state = 0"),
        (Asked(state="revised"), "revision > 1"),
        (Asked(from_ms=1_762_600_000_000, to_ms=1_763_000_000_000),
         "close_at >= to_timestamp(1762600000) AND close_at < to_timestamp(1763000000)"),
    ],
)  # fmt: skip
def test_what_is_asked_is_found(books: Books, asked: Asked, condition: str) -> None:
    query = f"SELECT server_id, ticket FROM trades_current WHERE {condition}"
    assert sorted(_through(books, asked)) == sorted(books.rows(query))


@pytest.mark.parametrize(("word", "number"), [("introduced", 1), ("direct", 2), ("history", 4)])
def test_how_trades_stand(books: Books, word: str, number: int) -> None:
    wanted = books.rows(f"SELECT server_id, ticket FROM rating_entry WHERE standing = {number}")
    assert len(wanted) > 3
    assert sorted(_through(books, Asked(standing=word))) == sorted(set(wanted))


def test_what_waits_is_found_by_its_reason(books: Books) -> None:
    wanted = books.rows("SELECT server_id, ticket FROM attribution_waiting"
                        " WHERE reason = 'unknown_account'")  # fmt: skip
    found = _through(books, Asked(reason="unknown_account"), limit=2)
    assert found == sorted(wanted, reverse=True)
    page = search(books.conn, Asked(standing="waiting"))
    assert {reason for one in page.trades for reason in one.waits} == {
        "no_terms", "unknown_account", "unpriced"
    }  # fmt: skip
    assert all(one.standing in ("waiting", "introduced") for one in page.trades)


def test_a_number_is_a_ticket_a_position_or_its_opening_deal(books: Books) -> None:
    [(server, ticket, position, opening)] = books.rows(
        "SELECT t.server_id, t.ticket, t.position, d.deal FROM trades_trade t"
        "  JOIN inbox_deal d ON d.server_id = t.server_id AND d.position = t.position"
        "                   AND d.entry = 0 ORDER BY t.ticket LIMIT 1"
    )
    for number in (ticket, position, opening):
        found = search(books.conn, Asked(number=number)).trades
        assert (server, ticket) in [(one.server_id, one.ticket) for one in found]
    assert search(books.conn, Asked(number=ticket, server_id=server + 99)).trades == []


def test_what_a_trade_earned_is_the_sum_of_its_lines(books: Books) -> None:
    sums = {
        (server, ticket, currency): int(amount)
        for server, ticket, currency, amount in books.rows(
            "SELECT r.server_id, r.ticket, a.currency, sum(r.amount_e8)::numeric FROM rating_line r"
            " JOIN ledger_account a ON a.id = r.account GROUP BY 1, 2, 3"
        )
    }
    page = search(books.conn, Asked(standing="introduced"), limit=500)
    found = {(one.server_id, one.ticket, currency): amount
             for one in page.trades for currency, amount in one.earned.items()}  # fmt: skip
    assert found == sums


def test_a_partner_sees_his_subtree_and_his_own_amounts(books: Books) -> None:
    scope = books.subtree("IB-110")
    chains = books.rows(
        f"SELECT e.server_id, e.ticket FROM rating_entry e JOIN attribution_chain c"
        f" ON c.id = e.chain_id WHERE c.partners && ARRAY{scope}"
    )
    assert 0 < len(chains) < books.rows("SELECT count(*) FROM rating_entry")[0][0]
    assert sorted(_through(books, Asked(), scope=scope)) == sorted(set(chains))
    page = search(books.conn, Asked(), scope=scope, limit=500)
    assert {currency for one in page.trades for currency in one.earned} == {"EUR"}
    outside = books.rows("SELECT server_id, ticket FROM rating_entry WHERE standing = 2 LIMIT 1")
    assert search(books.conn, Asked(number=outside[0][1]), scope=scope).trades == []
    waits = books.rows(
        "SELECT server_id, ticket FROM rating_waiting WHERE partner = ANY(%s)", scope
    )
    found = search(books.conn, Asked(standing="waiting"), scope=scope).trades
    assert {(one.server_id, one.ticket) for one in found} == set(waits)
