"""The demonstration's books equal what its generator worked out by hand."""

from __future__ import annotations

from broker_world import World

from pipshare import sandbox


def _expected(world: World) -> dict[str, int]:
    return {code: total for code, total in sandbox.expected_totals(world.broker).items() if total}


def test_books_equal_the_generators_sums_and_a_repeat_changes_nothing(world: World) -> None:
    world.load_all()
    world.import_all()
    assert world.totals() == _expected(world)
    assert set(world.waiting()) == {"no_terms", "unknown_account", "unpriced"}
    world.assert_whole()

    before = world.counts()
    for kind in ("mt4", "mt5"):
        report = world.bring(kind)
        assert (report.new, report.revised, report.repeated) == (0, 0, 300)
    world.load_all()
    assert world.counts() == before


def test_the_order_in_which_things_arrive_does_not_matter(world: World) -> None:
    """Trades first, then everything else, the terms before the accounts: the same books."""
    world.load_all(without=("accounts", "terms", "clients", "fx"))
    world.import_all()
    assert world.totals() == {}
    # Some positions were opened before the export begins: their openings are not in it.
    assert set(world.waiting()) == {"unknown_account", "opening_unknown"}
    world.load_all(without=("terms", "fx"))
    assert set(world.waiting()) == {"no_terms", "unknown_account"}
    world.load_all(without=("fx",))
    assert "no_fx" in world.waiting()
    world.load_all()
    assert world.totals() == _expected(world)
    world.assert_whole()


def test_a_server_without_go_live_books_nothing_until_it_has_one(world: World) -> None:
    text = world.paths["servers"].read_text()
    start = "2026-11-01T00:00:00+03:00"
    assert start in text
    world.paths["servers"].write_text(text.replace(start, ""))
    world.load_all()
    world.import_all()
    assert world.totals() == {}
    assert world.counts()["rating_entry"] == 0
    assert world.counts()["trades_trade"] == 600, "its facts are kept"

    world.paths["servers"].write_text(text)
    world.load_all()
    assert world.totals() == _expected(world), "history before go-live books nothing"
    world.assert_whole()
