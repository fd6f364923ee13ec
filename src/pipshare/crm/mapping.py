"""A mapping: what any system's payload says, as canonical events. No payload makes `apply` raise.

Pure. A payload is cut into items; of the rules the first one whose conditions hold tells what an
item is. Each item becomes Mapped, Skipped with why, or a Problem that names rule, field, expression
and what was found: never more of the payload, which holds people's data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipshare.crm.expressions import Expression
from pipshare.crm.kinds import CLAIMS, FIELD_TYPES, OUT, is_of_ib, kind_of, needs
from pipshare.crm.pick import Fault, Pick, Scene, Skip, kind_of_value, shown
from pipshare.crm.typed import PLAIN, Form, typed
from pipshare.errors import BadInput

MOST_ITEMS = 10_000  # of one payload


@dataclass(frozen=True)
class Mapped:
    """An item as one event or record: texts by the names of facts.fields ("events") and CLAIMS.

    `kind` is a name of facts.events.KINDS, kyc.changed, or one of kinds.RECORDS.
    """

    item: int
    rule: str
    kind: str
    fields: Mapping[str, str]
    claims: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Skipped:
    """An item that the mapping leaves on purpose, with why."""

    item: int
    rule: str
    reason: str


@dataclass(frozen=True)
class Problem:
    """An item that cannot be mapped. `item` 0 = the payload as a whole; texts are "" if unknown."""

    item: int
    code: str
    sentence: str
    rule: str = ""
    field: str = ""
    expression: str = ""

    def __str__(self) -> str:
        where = [f"item {self.item}"] if self.item else ["the payload"]
        where += [f"rule {self.rule}"] if self.rule else []
        where += [f"field {self.field}"] if self.field else []
        where += [f"expression {self.expression}"] if self.expression else []
        return f"{', '.join(where)}: {self.sentence}"


Outcome = Mapped | Skipped | Problem


@dataclass(frozen=True)
class FieldRule:
    """Where one field comes from."""

    name: str
    pick: Pick
    form: Form = PLAIN


@dataclass(frozen=True)
class Condition:
    """What must hold of an item. Exactly one of the three is told; words are case-folded."""

    pick: Pick
    among: frozenset[str] | None = None
    not_among: frozenset[str] | None = None
    present: bool | None = None

    def holds(self, scene: Scene) -> bool:
        """Tell whether it holds. Raises Fault, where a condition does not fit the payload."""
        if self.present is not None:
            return self.pick.is_there(scene) == self.present
        text = self.pick.text(scene).casefold()
        if self.among is not None:
            return text in self.among
        return text not in (self.not_among or ())


@dataclass(frozen=True)
class Rule:
    """What an item is when all conditions hold; `kind` None = nothing, for the reason `skip`."""

    name: str
    when: tuple[Condition, ...]
    kind: Pick | None
    skip: str = ""
    fields: tuple[FieldRule, ...] = ()
    goes_on: bool = False  # later rules are tried, too: one item may be several events


@dataclass(frozen=True)
class CrmMapping:
    """A mapping, as crm.read_mapping checked it."""

    name: str
    about: str
    source: str
    rules: tuple[Rule, ...]
    split: Expression | None = None
    skips_unmatched: bool = False

    def apply(
        self, payload: Any, *, received_ms: int | None = None, delivery: str = ""
    ) -> list[Outcome]:
        """Map a payload that read_payload read. `received_ms` (UTC) and `delivery`: see GIVEN."""
        given = {"delivery": delivery}
        if received_ms is not None:
            moment = datetime.fromtimestamp(received_ms // 1000, UTC)
            given["received"] = f"{moment:%Y-%m-%dT%H:%M:%S}.{received_ms % 1000:03d}Z"
        items = self._items(payload)
        if isinstance(items, Problem):
            return [items]
        return [outcome for number, item in enumerate(items, 1)
                for outcome in self._outcomes(number, Scene(item, payload, given))]  # fmt: skip

    def _items(self, payload: Any) -> list[Any] | Problem:
        if not isinstance(payload, dict | list):
            told = f": {payload[:120]!r}" if isinstance(payload, str) else ""
            return Problem(0, "not_records", f"{kind_of_value(payload)} came instead of records;"
                           f" some systems answer so when something is wrong{told}")  # fmt: skip
        items: Any = payload
        if self.split is not None:
            try:
                items = self.split.find(payload)
            except BadInput as error:
                return Problem(0, error.code, error.message, expression=self.split.text)
            if not isinstance(items, list):
                return Problem(0, "nothing_to_split", f"found {kind_of_value(items)}, not a list of"
                               " items", expression=self.split.text)  # fmt: skip
        items = items if isinstance(items, list) else [items]
        if len(items) > MOST_ITEMS:
            return Problem(0, "too_many_items", f"it has {len(items)} items; at most {MOST_ITEMS}")
        return list(items)

    def _outcomes(self, number: int, scene: Scene) -> Iterator[Outcome]:
        if not isinstance(scene.item, dict):
            yield Problem(number, "no_record", f"it is {kind_of_value(scene.item)}, not an object"
                          " of names and values")  # fmt: skip
            return
        found = False
        for rule in self.rules:
            try:
                holds = all(condition.holds(scene) for condition in rule.when)
            except Skip:
                holds = False
            except Fault as fault:
                yield Problem(number, fault.code, f"a condition: {fault.sentence}", rule.name)
                return
            if holds:
                found = True
                yield _told(number, rule, scene)
                if not rule.goes_on:
                    return
        if not found and self.skips_unmatched:
            yield Skipped(number, "", "no rule is for it")
        elif not found:
            yield Problem(number, "no_rule", "no rule is for it: add one, or one that skips it")


def _told(number: int, rule: Rule, scene: Scene) -> Outcome:
    """Say what an item is by one rule."""
    if rule.kind is None:
        return Skipped(number, rule.name, rule.skip)
    name, pick = "kind", rule.kind
    texts: dict[str, str] = {}
    rules = {one.name: one for one in rule.fields}

    def currency() -> str:
        one = rules.get("currency")
        return one.pick.text(scene).upper() if one is not None else ""

    try:
        kind = kind_of(pick.text(scene))
        if kind is None:
            raise Fault("unknown_kind", f"found {shown(pick.text(scene))}: no kind of event")
        for one in rule.fields:
            name, pick = one.name, one.pick
            type_ = FIELD_TYPES.get(name, "text")
            text = pick.text(scene, type_ == "text")
            if text:
                text = typed(name, type_, text, one.form, currency)
            if name == "amount" and text.startswith("-"):
                text = _out(text, kind, one.form)
            texts[name] = text
    except Skip as skip:
        return Skipped(number, rule.name, str(skip))
    except Fault as fault:
        return Problem(number, fault.code, fault.sentence, rule.name, name, pick.written)
    if (lacking := _lacking(kind, texts)) is not None:
        written = rules[lacking].pick.written if lacking in rules else ""
        return Problem(number, "missing_field", f"a {kind} needs the field {lacking}, and nothing"
                       " was found", rule.name, lacking, written)  # fmt: skip
    claims = {name: texts.pop(name) for name in CLAIMS if texts.get(name)}
    told = {"kind": kind, **{name: text for name, text in texts.items() if text}}
    return Mapped(number, rule.name, kind, told, {k: v for k, v in claims.items() if v})


def _out(text: str, kind: str, form: Form) -> str:
    """Return an amount below zero without its sign, where the mapping says that it may have one."""
    if form.signed and kind in OUT:
        return text.removeprefix("-")
    raise Fault("negative_amount", f"found {shown(text)}: below zero, and it is a {kind}; the kind"
                " says which way money went (what is taken back is a kind of its own)")  # fmt: skip


def _lacking(kind: str, texts: Mapping[str, str]) -> str | None:
    """Return the field that an event of a kind needs and has not; None when it has all."""
    for name in needs(kind):
        if name != "kind" and not texts.get(name):
            return name
    if is_of_ib(kind):
        return None
    if not texts.get("client") and not (texts.get("server") and texts.get("login")):
        return "client"
    if any(texts.get(name) for name in ("amount", "balance")) and not texts.get("currency"):
        return "currency"
    return None
