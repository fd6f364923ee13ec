"""Reads the rates and splits of a component: which key says what a rate earns, by its basis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from pipshare.plans.keys import EARNING_KEYS, RATE, SPLIT
from pipshare.plans.problems import quoted
from pipshare.plans.read import need, read
from pipshare.plans.table import MAX_DIVISOR, Table
from pipshare.plans.terms import ANY_CARD, RateRule, Split

SHARE = ("share",)
ZERO = Fraction(0)
# What a rate on each basis may be written as; spread and markup go by their unit.
FORMS: dict[str, tuple[str, ...]] = {
    "lot": ("amount",),
    "points": ("points", "pips"),
    "fixed": ("amount",),
    "notional": ("per_million", "per_100k", "basis_points", "share"),
    **dict.fromkeys(("spread", "markup", "commission", "profit", "loss", "result", "revenue",
                     "deposits"), SHARE),
    "earned": SHARE,
}  # fmt: skip
DIVISORS = {"per_million": 1_000_000, "per_100k": 100_000, "basis_points": 10_000}
_SAMPLES = {
    "amount": 'amount = "6.50"', "points": "points = 10", "pips": "pips = 1",
    "share": 'share = "30%"', "per_million": "per_million = 30", "per_100k": "per_100k = 3",
    "basis_points": "basis_points = 20",
}  # fmt: skip


@dataclass(frozen=True)
class Basis:
    """What a rate stands on: its component's basis ("" = refused) and unit, and the programme's
    currency."""

    name: str
    unit: str
    currency: str

    @property
    def forms(self) -> tuple[str, ...]:
        """The keys of which a rate has one."""
        if self.name in ("spread", "markup") and self.unit != "money":
            return ("amount",)
        return FORMS.get(self.name, ("amount",))


def read_rates(
    tables: Sequence[Table], basis: Basis
) -> tuple[tuple[RateRule, ...], dict[int, Fraction]]:
    """Return the rates, and by their place where bands that say so end."""
    ends: dict[int, Fraction] = {}
    rules = tuple(_rate(table, number, basis, ends) for number, table in enumerate(tables))
    return rules, ends


def read_splits(tables: Sequence[Table]) -> tuple[Split, ...]:
    """Return the shares of a pot."""
    return tuple(_split(table) for table in tables)


def in_pips(tables: Sequence[Table]) -> bool:
    """Tell whether rates in points are written in pips; both at once are refused."""
    first = next((key for t in tables for key in ("points", "pips") if key in t.data), "points")
    other = "pips" if first == "points" else "points"
    for table in tables:
        if other in table.data:
            table.refuse(other, f"a component has rates in points or in pips, not both: the first "
                                f"is in {first}")  # fmt: skip
    return first == "pips"


def _split(table: Table) -> Split:
    given = read(table, SPLIT)
    need(table, given, ("share",), 'a split needs a share, for example share = "30%"')
    values = {"card": ANY_CARD, "level": None, "share": Fraction(0)} | given
    return Split(line=table.line, **values)


def _rate(table: Table, ordinal: int, basis: Basis, ends: dict[int, Fraction]) -> RateRule:
    given = read(table, RATE)
    _not_both(table, "symbol", "symbol_group")
    _not_both(table, "account_group", "account_type")
    amount, currency = _earning(table, given, basis)
    if "to" in given:
        ends[ordinal] = given.pop("to")
    values: dict[str, Any] = {"card": ANY_CARD, "level": None}
    values |= {key: value for key, value in given.items() if key not in EARNING_KEYS}
    return RateRule(
        ordinal=ordinal, line=table.line, amount=amount, currency=currency, of=given.get("of"),
        **values,
    )  # fmt: skip


def _earning(table: Table, given: dict[str, Any], basis: Basis) -> tuple[Fraction, str]:
    """Read what a rate earns: an amount with its currency, or a share of something."""
    if not basis.name:
        return ZERO, ""
    if "of" in table.data or (basis.name in ("lot", "fixed") and "share" in table.data):
        return _share_of(table, given), ""
    if basis.name == "earned":
        table.refuse("of", "a rate of the basis earned names whose earnings it is a share of: "
                           'of = "lots"')  # fmt: skip
    written = [key for key in _SAMPLES if key in table.data]
    if len(written) != 1 or written[0] not in basis.forms:
        _refuse_form(table, written, basis)
        return ZERO, ""
    form = written[0]
    value = given.get(form, ZERO)
    if form in DIVISORS:
        value = _part(table, form, value)
    return value, _currency(table, given, basis) if form == "amount" else _none(table, form)


def _part(table: Table, form: str, value: Fraction) -> Fraction:
    """Return so much per million (and the like) as a share."""
    share = value / DIVISORS[form]
    if share.denominator > MAX_DIVISOR:
        table.refuse(form, f"{form} is finer than rates can be: as a share it has more than 9 "
                           "decimals")  # fmt: skip
    if share > 1:
        table.refuse(form, f"{form} is more than all of the volume")
    return share


def _currency(table: Table, given: dict[str, Any], basis: Basis) -> str:
    if not basis.currency and "currency" not in table.data:
        table.refuse("currency", "this rate has no currency: write it here or in [programme], "
                                 'currency = "USD"')  # fmt: skip
    return given.get("currency") or basis.currency


def _none(table: Table, form: str) -> str:
    if "currency" in table.data:
        table.refuse("currency", f"a rate with {form} has no currency: it is in that of its basis")
    return ""


def _share_of(table: Table, given: dict[str, Any]) -> Fraction:
    """Read a share of what a component earned."""
    for key in ("amount", "currency", "points", "pips", *DIVISORS):
        if key in table.data:
            table.refuse(key, f"a rate with a share has no {key}: it earns part of what the "
                              "level below earned, in that currency")  # fmt: skip
    if "share" not in table.data:
        table.refuse("of", 'of needs a share, for example share = "20%"')
    need(table, given, ("of",), "share needs of, the component whose earnings it is a share of: "
         'of = "lots"')  # fmt: skip
    return Fraction(given.get("share", 0))


def _refuse_form(table: Table, written: list[str], basis: Basis) -> None:
    forms = basis.forms
    if not written and forms == ("amount",):
        table.refuse("amount", 'a rate needs an amount, for example amount = "6.50" (or share and '
                               'of); to pay nothing write amount = "0"')  # fmt: skip
        return
    say = " or ".join(_SAMPLES[form] for form in forms)
    wrong = [key for key in written if key not in forms]
    if not written:
        table.refuse(forms[0], f"a rate needs what it earns: on the basis {basis.name} write {say}")
    for key in wrong:
        unit = f" with unit = {quoted([basis.unit])}" if basis.name in ("spread", "markup") else ""
        table.refuse(key, f"on the basis {basis.name}{unit} a rate has no {key}: write {say}")
    if not wrong and written:
        table.refuse(written[1], f"a rate has one of {' and '.join(written)}, not both")


def _not_both(table: Table, first: str, second: str) -> None:
    if first in table.data and second in table.data:
        table.refuse(second, f"a rate has {first} or {second}, not both")
