"""Checks a plan file: by itself, and against what the installation knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg

from pipshare.period import Clock
from pipshare.plans.modes import mixed_pots
from pipshare.plans.parse import UTC, parse
from pipshare.plans.problems import BadPlan, Problem, suggestion
from pipshare.plans.terms import ANY_CARD, Programme
from pipshare.plans.toml_lines import load

_KNOWN = {
    "symbol": "SELECT symbol FROM market_symbol",
    "account_type": "SELECT type FROM market_group WHERE type <> ''",
    "currency": "SELECT currency FROM market_entity UNION SELECT currency FROM partners_partner "
    "UNION SELECT base FROM market_fx UNION SELECT quote FROM market_fx",
}
_GROUPS = "SELECT DISTINCT symbol_group FROM market_symbol"
_CARDS = """
SELECT t.card, count(DISTINCT t.partner_id) FROM plans_terms t
  JOIN plans_programme p ON p.id = t.programme_id JOIN market_entity e ON e.id = p.entity_id
 WHERE p.code = %s AND e.code = %s GROUP BY t.card ORDER BY t.card
"""


@dataclass(frozen=True)
class Checked:
    """A plan file without errors: its programme, the entity it is for (0 = not looked up), and
    notes: things that are allowed but probably not meant."""

    programme: Programme
    entity_id: int = 0
    notes: list[str] = field(default_factory=list)


def check(text: str, filename: str, conn: psycopg.Connection[Any] | None = None) -> Checked:
    """Check a plan file; with a connection also its entity, currencies, symbols and cards.

    Writes nothing. Raises BadPlan with every error; what is only doubtful comes as notes.
    """
    if conn is None:
        programme = parse(text, filename)
        return Checked(programme, notes=_mixed_pots(programme, filename))
    rows = conn.execute("SELECT code, id, clock FROM market_entity ORDER BY id").fetchall()
    entities = {code: (number, Clock.parse(clock)) for code, number, clock in rows}
    wanted = _entity(text, filename)
    programme = parse(text, filename, entities[wanted][1] if wanted in entities else UTC)
    if programme.entity not in entities:
        reason = (
            f'entity "{programme.entity}" is not known;{suggestion(programme.entity, entities)} '
            f"known: {', '.join(entities)}; new ones come with `pipshare load entities`"
        )
        line = load(text, filename)[1].of(("programme", "entity"))
        raise BadPlan(filename, [Problem(line, reason)])
    refused = unknown_groups(programme, _symbol_groups(conn))
    if refused:
        raise BadPlan(filename, refused)
    notes = [
        *_unknown_names(conn, programme, filename),
        *_lost_cards(conn, programme, filename),
        *_mixed_pots(programme, filename),
        *_dealers(programme, filename),
    ]
    return Checked(programme, entities[programme.entity][0], notes)


def unknown_groups(programme: Programme, known: Iterable[str]) -> list[Problem]:
    """Return a problem for each symbol group that no symbol has; none when there are no symbols.

    A rate for a group that is misspelt would silently leave its trades to a wider rate. `known`:
    the group of each symbol there is, "" for none.
    """
    groups = {group.casefold(): group for group in known}
    named = {group for group in groups.values() if group}
    problems: dict[str, Problem] = {}
    for component in programme.components if groups else ():
        for rule in component.rates:
            group = rule.symbol_group
            if group is not None and group.casefold() not in groups:
                hint = suggestion(group, named) or (
                    f" known: {', '.join(sorted(named))};" if named else " no symbol has a group;"
                )
                problems.setdefault(group.casefold(), Problem(
                    rule.line, f'symbol group "{group}" is unknown: no symbol here is in it;{hint} '
                    "groups come with `pipshare load symbols`"))  # fmt: skip
    return list(problems.values())


def _symbol_groups(conn: psycopg.Connection[Any]) -> list[str]:
    return [row[0] for row in conn.execute(_GROUPS).fetchall()]


def _mixed_pots(programme: Programme, filename: str) -> list[str]:
    return [f"{filename}:{line}: {text}" for line, text in mixed_pots(programme)]


def _dealers(programme: Programme, filename: str) -> Iterator[str]:
    """Deals of a dealer pay unless a plan says otherwise: copied client trades carry that reason,
    but so does what a dealer books by hand."""
    paying = [
        component.code
        for component in programme.components
        if component.event in (None, "trade")
        and component.basis != "earned"
        and "dealer" not in component.conditions.excluded_reasons
    ]
    if paying:
        yield (
            f"{filename}: deals made by a dealer pay in {', '.join(paying)}, as copied client "
            'trades carry that reason; to exclude them add "dealer" to excluded_reasons in '
            "[component.when]"
        )


def _entity(text: str, filename: str) -> str:
    """The entity is wanted before parsing: its day decides when a date begins."""
    head = load(text, filename)[0].get("programme")
    named = head.get("entity", "main") if isinstance(head, dict) else "main"
    return str(named).strip()


def _unknown_names(
    conn: psycopg.Connection[Any], programme: Programme, filename: str
) -> Iterator[str]:
    """A name that nothing loaded has is allowed (it may be loaded later), but often a slip."""
    for key, query in _KNOWN.items():
        known = {row[0].casefold(): row[0] for row in conn.execute(query).fetchall()}
        used: dict[str, int] = {}
        for component in programme.components:
            for rule in component.rates:
                if name := getattr(rule, key):
                    used.setdefault(name, rule.line)
        for name, line in used.items() if known else ():
            if name.casefold() not in known:
                hint = suggestion(name, known.values())
                yield (
                    f'{filename}:{line}: {key.replace("_", " ")} "{name}" is nowhere else in this '
                    f"installation;{hint} until it is loaded "
                    + (
                        "what is earned in it waits"
                        if key == "currency"
                        else "the rate matches nothing"
                    )
                )


def _lost_cards(
    conn: psycopg.Connection[Any], programme: Programme, filename: str
) -> Iterator[str]:
    cards = {rule.card for component in programme.components for rule in component.rates}
    for card, partners in conn.execute(_CARDS, (programme.code, programme.entity)).fetchall():
        if card not in cards and card != "standard":
            rest = "only rates for any card apply" if ANY_CARD in cards else "they earn nothing"
            yield f'{filename}: card "{card}" of {partners} partner(s) has no rate here: {rest}'
