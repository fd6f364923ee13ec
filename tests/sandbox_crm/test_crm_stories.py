"""Stories of the sandbox CRM: the same for the same seed, dated in order, never in the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipshare.sandbox.crm import PLOTS, Cast
from pipshare.sandbox.crm.books import Books
from pipshare.sandbox.crm.clock import Clock
from pipshare.sandbox.crm.people import NUMBERS, trader
from pipshare.sandbox.crm.plots import DAY, DEEDS, RECORDED, TOLD, plot_of, story

START = datetime(2026, 11, 2, 9, tzinfo=UTC)
USD = ("USD",)


def _books(began: datetime = START, day_s: float = 86_400, **cast: object) -> Books:
    return Books(Cast(every_s=0, **cast), Clock(START, day_s, began), UTC)  # type: ignore[arg-type]


@pytest.mark.parametrize("plot", PLOTS)
def test_a_story_is_in_order_and_the_same_each_time(plot: str) -> None:
    who = trader(7, 70_001, plot, ("111",), USD)
    told = list(story(who))
    assert told == list(story(who))
    assert told[0].what == "registered"
    assert [one.number for one in told] == list(range(len(told)))
    assert len(told) < NUMBERS // 2, "the other numbers are for deeds by hand"
    moments = [one.after_s for one in told]
    assert moments == sorted(set(moments))
    for one in told:
        assert one.what in DEEDS
        if "of" in one.told:
            assert told[one.told["of"]].what in ("deposit", "withdrawal", "bonus")
            assert one.told["of"] < one.number


def test_the_first_traders_show_everything() -> None:
    shown = {deed.what for place in range(len(PLOTS))
             for deed in story(trader(7, 70_001 + place, plot_of(7, place), (), USD))}  # fmt: skip
    assert shown == {*RECORDED, *TOLD} - {"unmerged"}
    assert {plot_of(7, place) for place in range(200, 400)} == set(PLOTS)


def test_the_same_seed_makes_the_same_books_however_time_is_cut() -> None:
    whole, steps = _books(), _books()
    hooks = whole.advance(START + timedelta(days=60))
    again = [hook for day in range(61) for hook in steps.advance(START + timedelta(days=day))]
    assert hooks == again
    assert whole.happened == steps.happened
    assert whole.records == steps.records
    assert len({hook.id for hook in hooks}) == len(hooks)
    money = [one.fields["TransactionID"] for one in whole.records["TransactionInfo"]]
    assert len(set(money)) == len(money) > 20
    assert _books(seed=8).advance(START + timedelta(days=60)) != hooks


def test_what_happened_is_dated_in_order_and_not_in_the_future() -> None:
    """Days are life's until the present is reached, and the present's from then on."""
    clock = Clock(START, 2.0, START - timedelta(days=30))
    stamps = [clock.stamp(days * DAY) for days in range(60)]
    assert stamps == sorted(set(stamps))
    assert stamps[10] == START - timedelta(days=20)
    assert stamps[45] == START + timedelta(seconds=90)
    for days, stamp in enumerate(stamps):
        assert stamp <= START + timedelta(seconds=2 * days)
    assert clock.story_s(START + timedelta(seconds=3)) == 1.5 * DAY


def test_later_traders_come_one_by_one_up_to_the_most() -> None:
    cast = Cast(at_once=2, every_s=10, most=5)
    books = Books(cast, Clock(START, 1.0, START), UTC)
    counts = []
    for seconds in (0, 9, 10, 25, 1_000):
        books.advance(START + timedelta(seconds=seconds))
        counts.append(len(books.traders))
    assert counts == [2, 2, 3, 4, 5]


def test_tags_name_the_affiliates_and_some_have_none() -> None:
    tags = [trader(7, number, "stays", ("111", "330"), USD).tag for number in range(300)]
    assert 10 < tags.count("") < 60
    assert {tag.partition("-")[0] for tag in tags} == {"", "a111", "a330"}
    assert all(trader(7, number, "stays", (), USD).tag == "" for number in range(20))


def test_nobody_is_moved_where_there_is_one_affiliate_only() -> None:
    for affiliates, moved in ((("111", "330"), 1), (("111",), 0), ((), 0)):
        books = _books(affiliates=affiliates, untagged=0)
        hooks = books.advance(START + timedelta(days=60))
        assert sum(hook.event == "trader.moved" for hook in hooks) == moved


def test_by_hand_anything_can_happen_to_anybody() -> None:
    books = _books(at_once=0)
    books.add_trader(START, "stays", "a111-b1-p1")
    who = books.add_trader(START, "only looks")
    books.advance(START)
    paid, hooks = books.make(START, who.number, "deposit", {"cents": 12_345})
    assert hooks == []
    assert books.records["TransactionInfo"][-1].fields["TransactionID"] == paid
    assert books.records["TransactionInfo"][-1].fields["Amount"] == 12_345
    _, (hook,) = books.make(START, who.number, "dispute lost", {"of": paid})
    assert f'"transaction": {paid}' in hook.body.decode()
    assert '"cents": 12345' in hook.body.decode()
    assert b'"into": 70001' in books.make(START, who.number, "merged", {})[1][0].body
    assert b'"into": 70001' in books.make(START, who.number, "unmerged", {})[1][0].body


@pytest.mark.parametrize(
    ("number", "what", "told", "said"),
    [
        (1, "deposit", {}, "no trader 1"),
        (70_001, "earthquake", {}, "there are account, deposit"),
        (70_001, "dispute lost", {"of": 7}, "no transaction 7 of trader 70001"),
    ],
)
def test_what_cannot_happen_is_told(number: int, what: str, told: dict, said: str) -> None:
    books = _books()
    books.advance(START)
    with pytest.raises(ValueError, match=said):
        books.make(START, number, what, told)
    with pytest.raises(ValueError, match="no plot 'x'; there are stays"):
        books.add_trader(START, "x")
