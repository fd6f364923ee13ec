"""All rate rules of a book as columns, worked out once per book.

A *tier* holds the rules that agree in version, component, card and level (0 = all levels): what a
partner may earn at a level is looked for in at most four tiers (see plans.terms for the order).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product

import numpy as np

from pipshare.period import Millis as Longs
from pipshare.plans.book import Book, Version
from pipshare.plans.periods import Tier as Measure
from pipshare.plans.terms import ANY_CARD, Component, RateRule

ANY_LEVEL = 0
NO_SCOPE, TYPE_SCOPE, GROUP_SCOPE = 0, 1, 2
NO_SYMBOL, GROUP_SYMBOL, EXACT_SYMBOL = 0, 1, 2
Tier = tuple[int, int, str, int]  # version, component, card, level
Selector = tuple[int, str]  # kind, casefolded text
Scope = tuple[int, str, str]  # kind, casefolded text, casefolded country ("" = any)
Found = tuple[RateRule, int]  # a rate with its database id
# Where the bands of a rate begin: of opening and closing apart where each climbs on its own, else
# one tuple. Then a band is one of each side, of which none is the lowest (bands._of_sides).
Starts = tuple[tuple[Fraction, ...], ...]


@dataclass
class Earning:
    """What the rules of a tier can give: a fixed amount, shares of these components."""

    fixed: bool = False
    shares: set[int] = field(default_factory=set)

    def add(self, other: Earning) -> None:
        """Take over what another tier can give."""
        self.fixed |= other.fixed
        self.shares |= other.shares


class Rules:
    """Rate rules as columns: tier, scope and symbol selectors, exact rate, currency, database id.

    `top` / `bottom` is the amount in lowest terms; `of` the component a share is taken from, -1
    for a fixed amount; `scope_rank` and `symbol_rank` order the matches, higher first. The bands of
    one rate stand one after the other, by `start`: `band` counts them from 0 and `bands` says how
    many there are; only the first is looked for. `starts` holds, where a rate's first band stands,
    where its bands begin; `factored`: the lot factor is part of the price. `nothing`: the rate is 0
    in all of its bands.
    """

    def __init__(self, versions: Sequence[Version]) -> None:
        self.tiers: dict[Tier, int] = {}
        self.earnings: list[Earning] = []
        self.any_card: dict[tuple[int, int, int], Earning] = {}
        self.scopes: dict[Scope, int] = {}
        self.symbols: dict[Selector, int] = {}
        self.currencies: dict[str, int] = {}
        walked = list(_walk(versions))
        rows = [self._row(*found[:-1]) for found in walked]
        self._table = np.array(rows, np.int64).reshape(-1, 10).T.copy()
        (self.tier, self.scope, self.symbol, self.top, self.bottom, self.currency, self.of,
         self.rate_id, self.band, self.factored) = self._table  # fmt: skip
        self.starts = [starts for *_, starts in walked]
        first = np.flatnonzero(self.band == 0)
        self.bands = np.repeat(np.diff(np.r_[first, len(rows)]), np.diff(np.r_[first, len(rows)]))
        paying = np.zeros(len(first), np.bool_)
        rate = np.cumsum(self.band == 0) - 1
        paying[rate[(self.top != 0) | (self.of >= 0)]] = True
        self.nothing = ~paying[rate]
        self.have_bands = len(first) < len(rows) or any(rule.start for _, rule, *_ in walked)
        self.have_countries = any(country for _, _, country in self.scopes)
        scopes = [(kind, text) for kind, text, _ in self.scopes]
        named = np.array([country != "" for _, _, country in self.scopes], np.int64)
        self.scope_rank = _scope_ranks(scopes)[self.scope]
        self.country_rank = named[self.scope] if len(named) else self.scope
        kinds = np.array([kind for kind, _ in self.symbols], np.int64)
        self.symbol_rank = kinds[self.symbol] if len(kinds) else self.symbol

    def of_tiers(self, used: Longs) -> Longs:
        """Return the rows of the first bands that stand in any of the tiers `used`."""
        wanted = np.zeros(len(self.earnings) + 1, np.bool_)
        wanted[used] = True
        return np.flatnonzero(wanted[self.tier] & (self.band == 0))

    def _row(
        self,
        place: tuple[int, int],
        rule: RateRule,
        rate_id: int,
        of: int,
        band: int,
        factored: bool,
    ) -> tuple[int, ...]:
        level = rule.level or ANY_LEVEL
        key = (*place, rule.card, level)
        tier = self.tiers.setdefault(key, len(self.tiers))
        if tier == len(self.earnings):
            self.earnings.append(Earning())
        own = Earning(True) if of < 0 else Earning(False, {of})
        self.earnings[tier].add(own)
        self.any_card.setdefault((*place, level), Earning()).add(own)
        scope, symbol = (*_scope(rule), (rule.country or "").casefold()), _symbol(rule)
        return (
            tier,
            self.scopes.setdefault(scope, len(self.scopes)),
            self.symbols.setdefault(symbol, len(self.symbols)),
            rule.amount.numerator,
            rule.amount.denominator,
            self.currencies.setdefault(rule.currency, len(self.currencies)),
            of,
            rate_id,
            band,
            factored,
        )


class TermsColumns:
    """What a book's terms and versions say, as columns with one more row for "none" (index -1).

    `card` are codes into `cards`, code 0 being "*"; `programme` is NOTHING where the terms say
    that the partner earns nothing, and where there are none.
    """

    NOTHING = -1

    def __init__(self, book: Book) -> None:
        none = self.NOTHING
        self.cards = (ANY_CARD, *sorted({t.card for t in book.terms} - {ANY_CARD}))
        code = {name: number for number, name in enumerate(self.cards)}
        self.card = np.array([code[t.card] for t in book.terms] + [0], np.int64)
        named = [none if t.programme_id is None else t.programme_id for t in book.terms]
        self.programme = np.array([*named, none], np.int64)
        self.of_version = np.array([v.programme_id for v in book.versions] + [none], np.int64)
        pays = [v.programme.other_programmes == "pay" for v in book.versions]
        self.pays_others = np.array([*pays, False], np.bool_)


def _walk(
    versions: Sequence[Version],
) -> Iterator[tuple[tuple[int, int], RateRule, int, int, int, bool, Starts]]:
    """Go through all rules: place, rule, id, component a share is of, band, lot factor or not, and
    with the first band of a rate where its bands begin."""
    for v, version in enumerate(versions):
        codes = {part.code: c for c, part in enumerate(version.programme.components)}
        for c, component in enumerate(version.programme.components):
            lots = is_factored(component)
            rates: dict[object, list[tuple[RateRule, int]]] = {}
            for rule, rate_id in zip(component.rates, version.rate_ids[c], strict=True):
                rates.setdefault(_matching(rule), []).append((rule, rate_id))
            for found in rates.values():
                bands, starts = _bands(found, component.tier)
                for band, (rule, rate_id) in enumerate(bands):
                    is_share = rule.of is not None and component.basis != "earned"
                    of = codes[str(rule.of)] if is_share else -1
                    begin = () if band else starts
                    yield (v, c), rule, rate_id, of, band, lots and not is_share, begin


def is_factored(component: Component) -> bool:
    """Tell whether rates are per lot, so that the lot factor of the group is part of the price."""
    by_points = component.basis in ("spread", "markup") and component.unit != "money"
    return component.basis == "lot" or by_points


def _bands(found: list[Found], tier: Measure | None) -> tuple[list[Found], Starts]:
    """Return the bands of one rate by their start, and where they begin.

    Where opening and closing are priced apart the rate is the sum of both; each band is then known
    by the rule of the opening, if there is one. Two sides that a tier lets climb, or wait, band by
    band do so each on its own: where they begin otherwise, each pair of their bands is one.
    """
    sides = [(rule, rate_id) for rule, rate_id in found if rule.side is not None]
    found = sorted(sides or found, key=lambda one: (one[0].start, one[0].side != "open"))
    starts = [rule.start for rule, _ in found]
    if len({rule.side for rule, _ in found}) < 2:
        return found, (tuple(starts),)
    begins = sorted(set(starts))
    apart = [[one for one in found if one[0].side == side] for side in ("open", "close")]
    climbs = tier is not None and (tier.promotion == "stepwise" or tier.grace > 0)
    if climbs and [r.start for r, _ in apart[0]] != [r.start for r, _ in apart[1]]:
        pairs = product(*([None, *side] for side in apart))
        bands = [_both([one for one in pair if one], apart[0][0]) for pair in pairs if any(pair)]
        return bands, tuple(tuple(rule.start for rule, _ in side) for side in apart)
    held = [[[x for x in side if x[0].start <= start] for side in apart] for start in begins]
    bands = [_both([side[-1] for side in both if side]) for both in held]
    return bands, (tuple(begins),)


def _both(held: list[Found], known_by: Found | None = None) -> Found:
    """Return the band that the bands held of both sides come to: their sum."""
    rule, rate_id = known_by or held[0]
    return replace(rule, amount=sum((one.amount for one, _ in held), Fraction(0))), rate_id


def _matching(rule: RateRule) -> object:
    """Return what rules have in common that are bands of one rate."""
    return rule.card, rule.level, _scope(rule), _symbol(rule), rule.country, rule.of


def _scope(rule: RateRule) -> Selector:
    if rule.account_group is not None:
        return GROUP_SCOPE, rule.account_group.casefold()
    if rule.account_type is not None:
        return TYPE_SCOPE, rule.account_type.casefold()
    return NO_SCOPE, ""


def _symbol(rule: RateRule) -> Selector:
    if rule.symbol is not None:
        return EXACT_SYMBOL, rule.symbol.casefold()
    if rule.symbol_group is not None:
        return GROUP_SYMBOL, rule.symbol_group.casefold()
    return NO_SYMBOL, ""


def _scope_ranks(scopes: list[Selector]) -> Longs:
    """Rank scopes: none, type, masks (longer is better, then alphabetically), exact names."""
    masks = sorted({text for kind, text in scopes if kind == GROUP_SCOPE and "*" in text})
    masks.sort(key=len, reverse=True)
    best = len(masks) + 2
    rank_of = {mask: best - 1 - place for place, mask in enumerate(masks)}
    return np.array(
        [kind if kind != GROUP_SCOPE else rank_of.get(text, best) for kind, text in scopes],
        np.int64,
    )
