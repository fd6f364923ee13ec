"""Checks how a component's rates, splits and ranks fit its mode, and which modes a basis allows."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pipshare.plans.exact_text import percent
from pipshare.plans.problems import Problems, quoted, suggestion
from pipshare.plans.ranks import whom
from pipshare.plans.terms import ANY_CARD, Component, Programme, Split

POT_MODES = ("percent_of_child", "pot_split", "share_up")  # level 1 by rates, others by splits
TAKING_MODES = ("difference", "rank")  # what levels below took is subtracted
RATE_MODES = ("per_level", "override")


def check_mode(component: Component, depth: int, problems: Problems) -> None:
    """Note everything in a component that its mode does not define."""
    notes: list[tuple[int, str]] = [*_basis(component), *_of(component)]
    if component.mode in POT_MODES:
        notes += [*_pot_rates(component), *_splits(component, depth)]
    else:
        notes += [
            (split.line, f'the mode {component.mode} splits no pot: remove this split, or write '
             f'mode = "pot_split", "share_up" or "percent_of_child"')
            for split in component.splits
        ]  # fmt: skip
    notes += _ranks(component) if component.mode == "rank" else _no_ranks(component)
    if component.mode in TAKING_MODES:
        notes += _one_currency(component)
    for line, text in notes:
        problems.add(line, text)


def _basis(component: Component) -> Iterator[tuple[int, str]]:
    if component.basis == "earned" and component.mode not in RATE_MODES:
        yield (component.line, f"the mode {component.mode} cannot share what a partner earned: on "
               f"the basis earned the modes are {quoted(RATE_MODES)}")  # fmt: skip
    if component.mode in TAKING_MODES and component.carry and component.carry.negative == "carry":
        yield (component.line, f"the mode {component.mode} never pays below zero, so there is "
               "nothing to carry over: remove [component.carry], or let the levels share by "
               '"per_level", "pot_split" or "share_up"')  # fmt: skip


def _of(component: Component) -> Iterator[tuple[int, str]]:
    for rule in component.rates:
        if rule.of and component.basis != "earned" and component.mode not in RATE_MODES:
            yield (rule.line, f"a share of another component's earnings (of) is for the modes "
                   f"{quoted(RATE_MODES)}, not {component.mode}")  # fmt: skip


def _pot_rates(component: Component) -> Iterator[tuple[int, str]]:
    what = "the pot" if component.mode != "percent_of_child" else "what level 1 earns"
    for rule in component.rates:
        if rule.level not in (None, 1):
            yield (rule.line, f"in the mode {component.mode} rates say {what}: they are for level "
                   f"1; level {rule.level} has its share in [[component.split]]")  # fmt: skip


def _splits(component: Component, depth: int) -> Iterator[tuple[int, str]]:
    if not component.splits:
        yield (component.line, f"the mode {component.mode} needs shares: [[component.split]] with "
               "level and share")  # fmt: skip
    seen: dict[tuple[str, int | None], Split] = {}
    for split in component.splits:
        first = seen.setdefault((split.card, split.level), split)
        if first is not split:
            yield (split.line, "the programme overlaps itself: this split and the one on line "
                   f"{first.line} are both for {whom(split.card, split.level)}")  # fmt: skip
        if component.mode == "percent_of_child" and split.level == 1:
            yield split.line, "level 1 has nobody below: its part is by rates; write level = 2"
    if component.mode == "pot_split":
        yield from _whole_pot(component, depth, seen)


def _whole_pot(
    component: Component, depth: int, splits: dict[tuple[str, int | None], Split]
) -> Iterator[tuple[int, str]]:
    """Partners of one card may make up a whole chain: together they get no more than the pot."""
    cards = sorted({card for card, _ in splits}, key=lambda card: card != ANY_CARD)
    for card in cards:
        of_levels = [
            found
            for level in range(1, depth + 1)
            if level not in component.skip_levels and (found := _split_of(splits, card, level))
        ]
        total = sum((split.share for split in of_levels), Fraction(0))
        if total > 1:
            line = max(split.line for split in of_levels)
            who = "" if card == ANY_CARD else f" of partners with the card {card}"
            yield (line, f"the shares of the pot{who} over {depth} levels add up to "
                   f"{percent(total)}: more than all of it")  # fmt: skip
            return


def _split_of(
    splits: dict[tuple[str, int | None], Split], card: str, level: int
) -> Split | None:  # fmt: skip
    for who in (card, ANY_CARD):
        for at in (level, None):
            if (who, at) in splits:
                return splits[who, at]
    return None


def mixed_pots(programme: Programme) -> Iterator[tuple[int, str]]:
    """Yield pots of which partners of different cards on one chain could have more than all.

    That is allowed, as such a chain may never be: where it is, the trade waits.
    """
    for component in programme.components:
        if component.mode != "pot_split":
            continue
        splits = {(split.card, split.level): split for split in component.splits}
        cards = {card for card, _ in splits} | {ANY_CARD}
        most = Fraction(0)
        for level in range(1, programme.depth + 1):
            found = (_split_of(splits, card, level) for card in cards)
            if level not in component.skip_levels:
                most += max((split.share for split in found if split), default=Fraction(0))
        if most > 1:
            yield (component.line, f"in {component.code} partners of different cards on one chain "
                   f"could have {percent(most)} of the pot: such a trade waits")  # fmt: skip


def _no_ranks(component: Component) -> Iterator[tuple[int, str]]:
    if component.ranks:
        yield component.line, f'ranks are of mode = "rank", not of {component.mode}'


def _ranks(component: Component) -> Iterator[tuple[int, str]]:
    if not component.ranks:
        yield (component.line, 'the mode rank needs ranks, the lowest first, for example ranks = '
               '["bronze", "silver", "gold"]')  # fmt: skip
        return
    for rule in component.rates:
        if rule.card == ANY_CARD:
            yield rule.line, "in the mode rank a rate names its rank: write its card"
        elif rule.card not in component.ranks:
            hint = suggestion(rule.card, component.ranks)
            yield (rule.line, f'card "{rule.card}" is no rank of this component;{hint} its ranks '
                   f"are {quoted(component.ranks)}")  # fmt: skip
        if rule.level is not None:
            yield rule.line, "in the mode rank a rate is for its rank, whatever the level: remove "\
                             "level"  # fmt: skip
    having = {rule.card for rule in component.rates}
    for rank in component.ranks:
        if rank not in having:
            yield (component.line, f'rank "{rank}" has no rate: to add nothing for it write one '
                   'with amount = "0"')  # fmt: skip


def _one_currency(component: Component) -> Iterator[tuple[int, str]]:
    first = next(iter(component.rates), None)
    for rule in component.rates:
        if first is not None and rule.currency != first.currency:
            yield (rule.line, f"the mode {component.mode} subtracts amounts from each other: all "
                   f"rates need one currency; line {first.line} is in {first.currency}, this one "
                   f"in {rule.currency}")  # fmt: skip
            return
