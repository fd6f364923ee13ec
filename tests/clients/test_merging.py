"""Which clients are one person: the same for every order of words, circles and contradictions."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.clients.merging import Merge, contradiction, follow, standing, without_circles


def merge(at: int, client: int, into: int) -> Merge:
    return Merge(at, "crm", f"m{at}", at, client, into)


def always(*_: object) -> bool:
    return True


def test_chains_end_with_the_one_who_stays() -> None:
    found = follow([merge(1, 1, 2), merge(2, 2, 3), merge(3, 4, 1)], always)
    assert found.into == {1: 3, 2: 3, 4: 3}


def test_in_a_circle_the_later_word_says_who_stays() -> None:
    kept, circular = without_circles([merge(1, 1, 2), merge(2, 2, 1)])
    assert (kept, circular) == ([merge(2, 2, 1)], [merge(1, 1, 2)])
    kept, _ = without_circles([merge(1, 1, 2), merge(2, 2, 3), merge(3, 3, 1)])
    assert follow(kept, always).into == {2: 1, 3: 1}


def test_what_does_not_fit_is_kept_apart_and_leaves_the_others() -> None:
    merges = [merge(1, 1, 2), merge(2, 3, 2), merge(3, 4, 3)]
    found = follow(merges, lambda one, mine, theirs: one.client != 3)
    assert found.into == {1: 2, 4: 3}
    assert [(one.client, mine, theirs) for one, mine, theirs in found.kept_apart] == [
        (3, (3,), (2, 1))
    ]


def test_histories_contradict_only_where_both_name_somebody() -> None:
    assert standing([(0, 100, 7), (50, 100, 8)]) == [(0, 50, 7), (50, 100, 8)]
    assert standing([(10, 20, 7), (30, 40, 8)]) == [(10, 20, 7), (30, 40, 8)]
    some = standing([(0, 50, 7)])
    assert contradiction(some, standing([(50, 100, 8)])) is None
    assert contradiction(some, standing([(10, 60, 7)])) is None
    assert contradiction(some, standing([(20, 60, 0), (40, 60, 9)])) == (20, 7, 0)
    assert contradiction(some, []) is None


@given(st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_the_order_of_words_never_matters(seed: int) -> None:
    rnd = Random(seed)
    people = rnd.randint(2, 7)
    words = {}
    for at in range(rnd.randint(1, 8)):
        client, into = rnd.sample(range(people), 2)
        words[client] = merge(at, client, into)
    whose = {one: rnd.choice((None, 0, 1)) for one in range(people)}

    def fits(_: Merge, mine: tuple[int, ...], theirs: tuple[int, ...]) -> bool:
        return len({whose[one] for one in (*mine, *theirs)} - {None}) < 2

    def told(order: list[Merge]) -> tuple[object, ...]:
        kept, circular = without_circles(order)
        found = follow(kept, fits)
        return dict(found.into), list(found.kept_apart), circular

    first = told(list(words.values()))
    for _ in range(5):
        shuffled = list(words.values())
        rnd.shuffle(shuffled)
        assert told(shuffled) == first
    into = first[0]
    assert isinstance(into, dict)
    assert not set(into) & set(into.values()), "everybody ends up as somebody who stays"
    for client, end in into.items():
        assert len({whose[client], whose[end]} - {None}) < 2
