"""The text of a mapping, read and checked: every fault is named with its rule, field and key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipshare.crm.expressions import Expression, expression
from pipshare.crm.kinds import RECORDS, close_to, fields_of, kind_of
from pipshare.crm.mapping import Condition, CrmMapping, FieldRule, Rule
from pipshare.crm.read_fields import Place, check_filled, fault, field_rule, pick_of, text_at
from pipshare.errors import BadInput
from pipshare.facts.events import ALWAYS, KINDS, KYC_CHANGED
from pipshare.facts.one_record import once
from pipshare.period import Clock

FORMAT = 1
LONGEST = 100_000  # characters of a mapping
MOST_RULES = 100
KEYS = ("format", "name", "about", "source", "zone", "split", "unmatched", "fields", "rules")
RULE_KEYS = ("name", "about", "when", "kind", "skip", "fields", "goes_on")
TESTS = ("is", "is_not", "present")


def read_mapping(text: str) -> CrmMapping:
    """Read a mapping from its JSON text. Raises BadInput naming rule, field and key."""
    if len(text) > LONGEST:
        raise BadInput("bad_mapping", f"a mapping has at most {LONGEST} characters")
    try:
        told = json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise BadInput("bad_mapping", f"the mapping is not valid JSON: {error}") from None
    return mapping_of(told)


def mapping_of(told: Any) -> CrmMapping:
    """Check a mapping that was read from JSON. Raises BadInput as read_mapping does."""
    place = Place("the mapping")
    told = _object(told, place, KEYS)
    if told.get("format", FORMAT) != FORMAT:
        raise fault(place, "format", f"{told['format']!r} is unknown; this version reads {FORMAT}")
    place = Place(f"mapping {text_at(told, 'name', place)}")
    unmatched = told.get("unmatched", "error")
    if unmatched not in ("error", "skip"):
        raise fault(place, "unmatched", f"{unmatched!r} is neither error nor skip")
    zone = _zone(told, place)
    shared = [field_rule(one, place, zone) for one in _list(told, "fields", place)]
    rules = _list(told, "rules", place)
    if not 0 < len(rules) <= MOST_RULES:
        raise fault(place, "rules", f"a mapping has 1 to {MOST_RULES} rules")
    made = [_rule(one, place, shared, zone) for one in rules]
    names = [one.name for one in made]
    for name in names:
        if names.count(name) > 1:
            raise fault(place, "rules", f"two rules are called {name!r}")
    return CrmMapping(
        name=str(told["name"]),
        about=text_at(told, "about", place, ""),
        source=text_at(told, "source", place, ""),
        rules=tuple(made),
        split=_split(told, place),
        skips_unmatched=unmatched == "skip",
    )


def _split(told: Mapping[str, Any], place: Place) -> Expression | None:
    text = text_at(told, "split", place, "")
    try:
        return expression(text) if text else None
    except BadInput as error:
        raise fault(place, "split", error.message) from None


def _zone(told: Mapping[str, Any], place: Place) -> Clock | None:
    text = text_at(told, "zone", place, "")
    try:
        return Clock.parse(text) if text else None
    except BadInput as error:
        raise fault(place, "zone", error.message) from None


def _rule(told: Any, place: Place, shared: Sequence[FieldRule], zone: Clock | None) -> Rule:
    told = _object(told, replace(place, rule="?"), RULE_KEYS)
    place = replace(place, rule=text_at(told, "name", place))
    goes_on = told.get("goes_on", False)
    if not isinstance(goes_on, bool):
        raise fault(place, "goes_on", "write true or false")
    when = tuple(_condition(one, place) for one in _list(told, "when", place))
    if "skip" in told:
        if "kind" in told or "fields" in told:
            raise fault(place, "skip", "a rule that skips has neither kind nor fields")
        return Rule(str(told["name"]), when, None, text_at(told, "skip", place), (), goes_on)
    kinds = _Kinds.of(told.get("kind"), place)
    own = [field_rule(one, place, zone) for one in _list(told, "fields", place)]
    names = [one.name for one in own]
    for one in own:
        if one.name not in kinds.fields:
            raise fault(replace(place, field=one.name), "field", f"{kinds.words} has no such field"
                        + close_to(one.name, sorted(kinds.fields)))  # fmt: skip
        if names.count(one.name) > 1:
            raise fault(replace(place, field=one.name), "field", "it is told twice")
    both = [one for one in shared if one.name in kinds.fields and one.name not in names]
    lacking = [name for name in ALWAYS if name != "kind" and name not in
               {*names, *(one.name for one in both)}]  # fmt: skip
    if lacking:
        raise fault(
            place,
            "fields",
            f"{', '.join(lacking)} must be told: the event's id and when"
            ' it happened ({"field": "at", "given": "received"} where nothing tells)',
        )
    return Rule(str(told["name"]), when, kinds.pick, "", (*both, *own), goes_on)


@dataclass(frozen=True)
class _Kinds:
    """The kinds that a rule may turn out to tell, and the fields that they have."""

    pick: Any
    words: str
    fields: frozenset[str]

    @classmethod
    def of(cls, told: Any, place: Place) -> _Kinds:
        place = replace(place, field="kind")
        known = [*KINDS, *RECORDS, KYC_CHANGED]
        pick = pick_of({"value": told} if isinstance(told, str) else told, place)
        names = known
        if pick.constant is not None:
            names = [pick.constant]
        elif pick.words is not None and pick.otherwise != "keep":
            names = list(pick.words.values())
        kinds = [(name, kind_of(name)) for name in names]
        for name, kind in kinds:
            if kind is None:
                raise fault(place, "kind", f"{name!r} is no kind of event{close_to(name, known)}")
        fields = frozenset().union(*(fields_of(kind) for _, kind in kinds if kind is not None))
        words = f"a {names[0]}" if len(set(names)) == 1 else "an event of these kinds"
        return cls(pick, words, fields)


def _condition(told: Any, place: Place) -> Condition:
    told = dict(_object(told, place, None))
    given = [name for name in TESTS if name in told]
    if len(given) != 1:
        raise fault(place, "when", f"a condition has exactly one of {', '.join(TESTS)}")
    test, value = given[0], told.pop(given[0])
    pick = pick_of(told, place)
    if test == "present":
        if not isinstance(value, bool):
            raise fault(place, "present", "write true or false")
        return Condition(pick, present=value)
    words = value if isinstance(value, list) else [value]
    if not words or not all(isinstance(word, str) for word in words):
        raise fault(place, test, 'write a text or a list of texts, also for numbers: "1"')
    for word in words:
        check_filled(word, place, test)
    folded = frozenset(word.strip().casefold() for word in words)
    return Condition(pick, among=folded) if test == "is" else Condition(pick, not_among=folded)


def _object(told: Any, place: Place, keys: Sequence[str] | None) -> Mapping[str, Any]:
    if not isinstance(told, dict):
        raise fault(place, "", f"write an object of names and values, not {type(told).__name__}")
    for key in told:
        if keys is not None and key not in keys:
            raise fault(place, key, "no such key" + close_to(key, list(keys)))
    return told


def _list(told: Mapping[str, Any], key: str, place: Place) -> list[Any]:
    found = told.get(key, [])
    if not isinstance(found, list):
        raise fault(place, key, "write a list: [...]")
    return found
