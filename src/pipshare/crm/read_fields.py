"""The picks of a mapping, read and checked: where a field comes from and what is done to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pipshare.crm.expressions import Expression, expression
from pipshare.crm.kinds import CLAIMS, FIELD_TYPES, close_to
from pipshare.crm.mapping import FieldRule
from pipshare.crm.pick import GIVEN, OTHERWISE, TAG_PARTS, Pick
from pipshare.crm.typed import ISO, MAJOR, MINOR, PARTS, UNIX, UNIX_MS, Form
from pipshare.errors import BadInput
from pipshare.period import Clock

WAYS = ("from", "root", "value", "given", "concat")
STEPS = ("part", "before", "case", "map", "otherwise")
FORMS = ("unit", "signed", "format", "zone")
_MOST_PARTS = 20
_MISSING = object()
# What a preset leaves to the broker stands in angle brackets, as in the presets of trackers.
_UNFILLED = re.compile("<[a-z][a-z ]*>")


@dataclass(frozen=True)
class Place:
    """Where in a mapping something stands."""

    mapping: str
    rule: str = ""
    field: str = ""


def fault(place: Place, key: str, what: str) -> BadInput:
    """Build the error for one key of a mapping."""
    where = [place.mapping]
    where += [f"rule {place.rule}"] if place.rule else []
    where += [f"field {place.field}"] if place.field else []
    where += [f"key {key}"] if key and key != place.field else []
    return BadInput("bad_mapping", f"{', '.join(where)}: {what}")


def text_at(told: Mapping[str, Any], key: str, place: Place, default: Any = _MISSING) -> str:
    """Return the text of a key. Raises BadInput: none there, no text, or still to be filled in."""
    value = told.get(key, default)
    if value is _MISSING:
        raise fault(place, key, "is missing")
    if not isinstance(value, str) or (default is _MISSING and not value.strip()):
        raise fault(
            place, key, f"write a text, not {type(value).__name__}" if value else "is empty"
        )
    check_filled(value, place, key)
    return value


def check_filled(text: str, place: Place, key: str) -> None:
    """Raise BadInput for a text with something left to be filled in."""
    if found := _UNFILLED.search(text):
        raise fault(place, key, f"put your own value in the place of {found[0]}")


def field_rule(told: Any, place: Place, zone: Clock | None) -> FieldRule:
    """Read one field; `zone` is the mapping's own. Raises BadInput."""
    if not isinstance(told, dict):
        raise fault(place, "fields", "a field is an object such as {...}")
    told = dict(told)
    name = text_at(told, "field", place)
    known = [*FIELD_TYPES, *CLAIMS]
    if name not in known or name == "kind":
        raise fault(place, "field", f"{name!r} is no field{close_to(name, known)}")
    place = replace(place, field=name)
    told.pop("field")
    form = _form({key: told.pop(key) for key in FORMS if key in told}, place, zone)
    return FieldRule(name, pick_of(told, place), form)


def pick_of(told: Any, place: Place, *, inner: bool = False) -> Pick:
    """Read where a text comes from. `inner`: a part of a concat. Raises BadInput."""
    if not isinstance(told, dict):
        raise fault(place, "", 'write an object such as {"from": "Amount"}')
    for key in told:
        if key not in (*WAYS, *STEPS):
            raise fault(place, key, "no such key" + close_to(key, ["field", *WAYS, *STEPS, *FORMS]))
    ways = [way for way in WAYS if way in told]
    if len(ways) != 1:
        raise fault(place, "", f"it has to come from exactly one of {', '.join(WAYS)}")
    if ways[0] == "value" and len(told) > 1:
        raise fault(place, "value", "a constant is written as it has to be: no other key beside it")
    otherwise = told.get("otherwise", OTHERWISE[0])
    if otherwise not in OTHERWISE:
        raise fault(place, "otherwise", f"write one of {', '.join(OTHERWISE)}")
    if "otherwise" in told and "map" not in told and "part" not in told:
        raise fault(place, "otherwise", "it goes with map or part")
    steps = Pick(
        part=_among(told, "part", TAG_PARTS, place),
        before=text_at(told, "before", place) if "before" in told else None,
        case=_among(told, "case", ("upper", "lower"), place),
        words=_words(told["map"], place) if "map" in told else None,
        otherwise=otherwise,
    )
    return _with_way(told, ways[0], steps, place, inner)


def _with_way(told: Mapping[str, Any], way: str, steps: Pick, place: Place, inner: bool) -> Pick:
    if way == "concat":
        parts = told["concat"]
        if inner or not isinstance(parts, list) or not 0 < len(parts) <= _MOST_PARTS:
            raise fault(place, "concat", f"write a list of 1 to {_MOST_PARTS} parts, none a concat")
        return replace(steps, joined=tuple(pick_of(part, place, inner=True) for part in parts))
    if way == "value":
        return replace(steps, constant=text_at(told, "value", place))
    if way == "given":
        return replace(steps, given=_among(told, "given", tuple(GIVEN), place))
    try:
        found: Expression = expression(text_at(told, way, place))
    except BadInput as error:
        raise fault(place, way, error.message) from None
    return replace(steps, inside=found) if way == "from" else replace(steps, around=found)


def _among(told: Mapping[str, Any], key: str, allowed: tuple[str, ...], place: Place) -> str | None:
    if key not in told:
        return None
    value = told[key]
    if value not in allowed:
        raise fault(place, key, f"{value!r} is unknown{close_to(str(value), list(allowed))}")
    return str(value)


def _words(told: Any, place: Place) -> dict[str, str]:
    if not isinstance(told, dict) or not told or not all(isinstance(w, str) for w in told.values()):
        raise fault(place, "map", 'write an object of texts such as {"Approved": "deposit"}')
    for word in told.values():
        check_filled(word, place, "map")
    return {key.strip().casefold(): word.strip() for key, word in told.items()}


def _form(told: Mapping[str, Any], place: Place, zone: Clock | None) -> Form:
    type_ = FIELD_TYPES.get(place.field, "text")
    for key in told:
        wanted = "e8" if key in ("unit", "signed") else "moment"
        if type_ != wanted:
            fields = [name for name, one in FIELD_TYPES.items() if one == wanted]
            raise fault(place, key, f"it goes with {', '.join(fields)}")
    unit = text_at(told, "unit", place, MAJOR)
    if unit not in (MAJOR, MINOR) and not PARTS.fullmatch(unit):
        raise fault(place, "unit", f"{unit!r} is no unit: write major, minor (of the currency), or"
                                   " a part such as 1/100")  # fmt: skip
    signed = told.get("signed", False)
    if not isinstance(signed, bool):
        raise fault(place, "signed", "write true or false")
    if "zone" in told:
        try:
            zone = Clock.parse(text_at(told, "zone", place))
        except BadInput as error:
            raise fault(place, "zone", error.message) from None
    return Form(unit, signed, _format(told, place), zone)


def _format(told: Mapping[str, Any], place: Place) -> str:
    form = text_at(told, "format", place, ISO)
    if form in (ISO, UNIX, UNIX_MS):
        return form
    tried = datetime(2026, 11, 23, 13, 45, 56, tzinfo=UTC)
    try:
        good = datetime.strptime(tried.strftime(form), form).date() == tried.date()
    except (ValueError, re.error):
        good = False
    if not good:
        raise fault(place, "format", f"{form!r} is no form of a date or moment: write iso, unix,"
                                     " unix_ms, or a form such as %d/%m/%Y %H:%M")  # fmt: skip
    return form
