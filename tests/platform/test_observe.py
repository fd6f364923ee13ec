"""What a platform is seen to say of accounts becomes their history, whatever was loaded when."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import polars as pl
import pytest
from platform_world import accounts_csv, at, build, load, states, users

from pipshare import clients
from pipshare.errors import BadInput

LATE = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def conn(db: Any) -> Any:
    with db.app() as conn:
        build(conn)
        yield conn


def test_only_what_changed_is_kept(conn: Any) -> None:
    first = users((1001, "real\\ecn", "EUR"), (1002, "real\\std", "USD"))
    assert clients.observe(conn, 1, first, at("2026-03-01")).changed == 2
    assert clients.observe(conn, 1, first, at("2026-03-02")).changed == 0
    moved = users((1001, "real\\vip", "EUR"), (1002, "real\\std", "USD"))
    assert clients.observe(conn, 1, moved, at("2026-03-03")).changed == 1
    rows = conn.execute("SELECT login, group_name FROM clients_observed ORDER BY id").fetchall()
    assert rows == [(1001, "real\\ecn"), (1002, "real\\std"), (1001, "real\\vip")]
    now = clients.observed_now(conn, 1)
    assert now.select("login", "group", "observed_ms").rows() == [
        (1001, "real\\vip", at("2026-03-03")), (1002, "real\\std", at("2026-03-01")),
    ]  # fmt: skip


def test_an_account_loaded_without_group_takes_the_first_observation(conn: Any) -> None:
    load(conn, "accounts", accounts_csv("1001,c1,,,,"))
    seen = clients.observe(conn, 1, users((1001, "real\\cent", "USC")), at("2026-03-01"))
    assert (seen.followed, seen.from_ms) == ([1001], 0)
    assert states(conn, 1001) == [
        (0, "real\\cent", "USC", "active", "first_known"),
        (at("2026-03-01"), "real\\cent", "USC", "active", "platform"),
    ]
    again = clients.observe(conn, 1, users((1001, "real\\cent", "USC")), at("2026-03-02"))
    assert (again.changed, again.followed, again.from_ms) == (0, [], None)


def test_what_was_loaded_right_needs_no_record(conn: Any) -> None:
    load(conn, "accounts", accounts_csv("1001,c1,real\\ecn,EUR,,"))
    seen = clients.observe(conn, 1, users((1001, "real\\ecn", "EUR")), at("2026-03-01"))
    assert (seen.changed, seen.followed, seen.from_ms) == (1, [], None)
    assert states(conn, 1001) == [(0, "real\\ecn", "EUR", "active", "load")]


def test_what_was_loaded_holds_until_the_platform_says_otherwise(conn: Any) -> None:
    load(conn, "accounts", accounts_csv("1001,c1,real\\ecn,EUR,,"))
    seen = clients.observe(conn, 1, users((1001, "real\\vip", "EUR")), at("2026-03-01"))
    assert (seen.followed, seen.from_ms) == ([1001], at("2026-03-01"))
    assert states(conn, 1001) == [
        (0, "real\\ecn", "EUR", "active", "load"),
        (at("2026-03-01"), "real\\vip", "EUR", "active", "platform"),
    ]


@pytest.mark.parametrize("status", ["excluded", "direct"])
def test_an_operators_status_is_never_overwritten(conn: Any, status: str) -> None:
    load(conn, "accounts", accounts_csv(f"1001,c1,,,{status},"))
    clients.observe(conn, 1, users((1001, "real\\a", "USD")), at("2026-03-01"))
    clients.observe(conn, 1, users((1001, "real\\b", "USD", 0)), at("2026-04-01"))
    assert {row[3] for row in states(conn, 1001)} == {status}
    load(conn, "accounts", accounts_csv("1001,c1,,,active,2026-05-01T00:00:00Z"))
    clients.observe(conn, 1, users((1001, "real\\c", "USD", 0)), at("2026-06-01"))
    assert [row[3] for row in states(conn, 1001)][-2:] == ["active", "disabled"]


def test_a_back_dated_exclusion_holds_over_later_observations(conn: Any) -> None:
    load(conn, "accounts", accounts_csv("1001,c1,real\\a,USD,,"))
    clients.observe(conn, 1, users((1001, "real\\b", "USD")), at("2026-03-01"))
    text = accounts_csv("1001,c1,,,excluded,2026-02-01T00:00:00Z")
    report = load(conn, "accounts", text)
    assert report.from_ms == at("2026-02-01")
    assert states(conn, 1001) == [
        (0, "real\\a", "USD", "active", "load"),
        (at("2026-02-01"), "real\\a", "USD", "excluded", "load"),
        (at("2026-03-01"), "real\\b", "USD", "excluded", "platform"),
    ]
    again = load(conn, "accounts", text)
    assert (again.same, again.from_ms) == (1, None)


def test_a_disabled_account_and_an_invisible_group(conn: Any) -> None:
    load(conn, "accounts", accounts_csv("1001,c1,,,,"))
    clients.observe(conn, 1, users((1001, "real\\a", "EUR", 0)), at("2026-03-01"))
    clients.observe(conn, 1, users((1001, "real\\b", "", 0)), at("2026-04-01"))
    assert states(conn, 1001)[-1] == (at("2026-04-01"), "real\\b", "EUR", "disabled", "platform")


def test_a_contradicting_load_is_observed_again(conn: Any) -> None:
    load(conn, "accounts", accounts_csv("1001,c1,,,,"))
    seen = users((1001, "real\\a", "EUR"))
    clients.observe(conn, 1, seen, at("2026-03-01"))
    load(conn, "accounts", accounts_csv("1001,c1,real\\b,,,2026-03-10T00:00:00Z"))
    report = clients.observe(conn, 1, seen, at("2026-03-11"))
    assert (report.changed, report.from_ms) == (1, at("2026-03-11"))
    assert [row[1] for row in states(conn, 1001)] == ["real\\a", "real\\a", "real\\b", "real\\a"]
    assert clients.observe(conn, 1, seen, at("2026-03-12")).changed == 0


STEPS = {
    "load": accounts_csv("1001,c1,,,,"),
    "dated": accounts_csv("1001,c1,,,direct,2026-03-10T00:00:00Z"),
    "march": (users((1001, "real\\a", "EUR")), at("2026-03-05")),
    "april": (users((1001, "real\\b", "EUR")), at("2026-04-05")),
}


ORDERS = [
    order
    for order in permutations(STEPS)
    if order.index("march") < order.index("april") and order.index("load") < order.index("dated")
]


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_arrival_does_not_matter(conn: Any, order: tuple[str, ...]) -> None:
    for name in order:
        step = STEPS[name]
        if isinstance(step, str):
            assert not load(conn, "accounts", step).refused
        else:
            clients.observe(conn, 1, *step)
    assert states(conn, 1001) == [
        (0, "real\\a", "EUR", "active", "first_known"),
        (at("2026-03-05"), "real\\a", "EUR", "active", "platform"),
        (at("2026-03-10"), "real\\a", "EUR", "direct", "load"),
        (at("2026-04-05"), "real\\b", "EUR", "direct", "platform"),
    ]


def test_absence_says_nothing(conn: Any) -> None:
    clients.observe(conn, 1, users((1001, "a", "USD"), (1002, "a", "USD")), at("2026-03-01"))
    assert clients.observe(conn, 1, users((1002, "a", "USD")), at("2026-03-02")).changed == 0
    assert clients.observe(conn, 1, users().clear(), at("2026-03-02")).accounts == 0
    assert len(clients.observed_now(conn, 1)) == 2


def test_users_that_cannot_be(conn: Any) -> None:
    odd = users((0, "a", "USD"), (5, "a\0b ", "usd"), (5, "c", "usd"))
    assert clients.observe(conn, 1, odd, at("2026-03-01")).changed == 1
    assert clients.observed_now(conn, 1)["group"].to_list() == ["c"]
    with pytest.raises(BadInput, match="lack the columns group"):
        clients.observe(conn, 1, pl.DataFrame({"login": [1]}), 0)


def test_many_accounts_are_set_based(conn: Any) -> None:
    many = 20_000
    frame = pl.DataFrame({
        "login": pl.int_range(1, many + 1, eager=True), "group": ["real\\std"] * many,
        "currency": ["USD"] * many, "rights": [1] * many, "agent": [0] * many,
        "country": ["Cyprus"] * many,
    })  # fmt: skip
    assert clients.observe(conn, 1, frame, at("2026-03-01")).changed == many
    moved = frame.with_columns(group=pl.when(pl.col("login") > many - 3).then(pl.lit("x"))
                               .otherwise("group"))  # fmt: skip
    assert clients.observe(conn, 1, moved, at("2026-03-02")).changed == 3
