"""What is to be done with new relations: write, propose, refuse, or nothing.

Pure. Relations are frames of subject, above (NOBODY = a root, or a direct client), start, end,
line, entity, code and above_code, sorted by verdicts.in_order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from pipshare.facts import Refusal
from pipshare.partners.faults import DEEPEST, Fault, tree_faults
from pipshare.partners.verdicts import NOBODY, Verdict, judge
from pipshare.partners.wording import DIRECT, ROOT, lines, moment, span
from pipshare.period import FOREVER_MS

CLIENT, PARTNER = "client", "partner"
_NOWHERE = {CLIENT: DIRECT, PARTNER: ROOT}
Names = Mapping[int, str]


@dataclass
class Plan:
    """The records by what is to be done; with from_ms, and in `moves` was_code: who was above."""

    new: pl.DataFrame
    fills: pl.DataFrame
    moves: pl.DataFrame
    same: int = 0
    refused: list[Refusal] = field(default_factory=list)
    from_ms: int | None = None  # of `fills`; of `moves` it is known once they are approved
    outdated: list[int] = field(default_factory=list)  # lines


def plan_relations(
    kind: str, records: pl.DataFrame, known: pl.DataFrame, names: Names, *, may_move: bool
) -> Plan:
    """Judge `records` of one kind (CLIENT or PARTNER) against `known` records.

    `known` has subject, above, start, end, id: all of the subjects' for clients, everybody's for
    partners, because of cycles. `names` gives partners' codes. `may_move` says whether a reason
    and a name were given: without them, what moves somebody is refused.
    """
    judged = judge(records, known)
    frame = records.with_columns(verdict=judged.verdict, from_ms=judged.from_ms, was=judged.was)
    refused = _contradictions(kind, frame)
    moving = frame.filter(
        pl.col("verdict").is_in([Verdict.MOVES, *([Verdict.OUTDATED] if may_move else [])])
    )
    if not may_move:
        refused += [_unsigned(kind, row, names) for row in moving.iter_rows(named=True)]
        moving = moving.clear()
    plan = Plan(
        new=frame.filter(pl.col("verdict") == Verdict.NEW),
        fills=frame.filter(pl.col("verdict") == Verdict.FILLS),
        moves=moving,
        refused=refused,
    )
    if kind == PARTNER:
        _refuse_faults(plan, known, names)
    was = [place(kind, above, names) for above in plan.moves["was"]]
    plan.moves = plan.moves.with_columns(was_code=pl.Series(was, dtype=pl.String))
    idle = [Verdict.SAME] if may_move else [Verdict.SAME, Verdict.OUTDATED]
    plan.same = len(frame.filter(pl.col("verdict").is_in(idle)))
    if not may_move:
        plan.outdated = frame.filter(pl.col("verdict") == Verdict.OUTDATED)["line"].to_list()
    if len(plan.fills) and kind == PARTNER:
        earliest = plan.fills["from_ms"].min()
        plan.from_ms = int(earliest) if isinstance(earliest, int) else None
    return plan


def place(kind: str, above: int, names: Names) -> str:
    """Return the code of who is above, or the word for nobody."""
    if above < 0:
        return "not known"
    return names.get(above, str(above)) if above != NOBODY else _NOWHERE[kind]


def _contradictions(kind: str, frame: pl.DataFrame) -> list[Refusal]:
    found = frame.filter(pl.col("verdict") == Verdict.CONTRADICTS)
    refused = []
    for _, group in found.group_by("subject", "start", "end", maintain_order=True):
        where = lines(group["line"])
        codes = " and ".join(sorted(set(group["above_code"])))
        for row in group.iter_rows(named=True):
            when = span(row["start"], row["end"])
            text = f"line {row['line']}: {kind} {row['code']} is placed under {codes} ({when})"
            refused.append(
                Refusal(row["line"], "contradicts", f"{text} in one file ({where}): keep one")
            )
    return refused


def _unsigned(kind: str, row: dict[str, object], names: Names) -> Refusal:
    was, start, end = (int(str(row[name])) for name in ("was", "start", "end"))
    reason = (
        f"line {row['line']}: {kind} {row['code']} is under {place(kind, was, names)}; to move to "
        f"{row['above_code']} ({span(start, end)}) give --reason and --by: it is then proposed, and"
        " takes effect when a second person approves it"
    )
    return Refusal(int(str(row["line"])), "needs_second_person", reason)


def _refuse_faults(plan: Plan, known: pl.DataFrame, names: Names) -> None:
    """Refuse what would make a cycle: with everything approved, then with nothing approved."""
    while _refuse_once(plan, known, [plan.new, plan.fills, plan.moves], names):
        pass
    while _refuse_once(plan, known, [plan.new, plan.fills], names):
        pass


def _refuse_once(plan: Plan, known: pl.DataFrame, parts: list[pl.DataFrame], names: Names) -> bool:
    columns = ["subject", "above", "start", "end", "line"]
    coming = pl.concat([part.select(columns) for part in parts]).sort("subject", "start")
    # In one load a wider record goes before a narrower one, as it will be recorded.
    coming = coming.sort("subject", "start", "end", "line", descending=[False, False, True, False])
    rows = pl.concat([known.sort("id").select(*columns[:4], line=pl.lit(0, pl.Int32)), coming])
    ids = np.unique(np.concatenate([rows["subject"].to_numpy(), rows["above"].to_numpy()]))
    above = rows["above"].to_numpy()
    faults = tree_faults(
        np.searchsorted(ids, rows["subject"].to_numpy()),
        np.where(above == NOBODY, -1, np.searchsorted(ids, above)),
        rows["start"].to_numpy(), rows["end"].to_numpy(), np.arange(len(rows)),
    )  # fmt: skip
    line_of = rows["line"].to_list()
    blamed: dict[int, Refusal] = {}
    for fault in faults:
        codes = [place(PARTNER, int(ids[node]), names) for node in fault.nodes]
        for refusal in _blame(fault, codes, [line_of[r] for r in fault.records]):
            blamed.setdefault(refusal.line, refusal)
    plan.refused += blamed.values()
    gone = pl.col("line").is_in(list(blamed))
    plan.new, plan.fills, plan.moves = (
        part.filter(~gone) for part in (plan.new, plan.fills, plan.moves)
    )
    return bool(blamed)


def _blame(fault: Fault, codes: list[str], edges: list[int]) -> list[Refusal]:
    """Refuse the file's own lines in a fault; of a path too deep only the lowest."""
    own = [line for line in edges if line > 0]
    since = "" if fault.moment_ms == 0 else f" from {moment(fault.moment_ms)} on"
    if not fault.cycle:
        path = " -> ".join([*codes[:3], "...", codes[-1]])
        text = f"{path} would be {len(codes)} levels{since}; a tree has at most {DEEPEST}"
        return [Refusal(line, "too_deep", f"line {line}: {text}") for line in own[:1]]
    shown = codes if len(codes) <= 20 else [*codes[:9], "...", *codes[-9:]]
    text = (
        f"{' -> '.join(shown)} is a cycle{since} ({lines(own)}"
        f"{', with relations recorded before' if len(own) < len(edges) else ''}):"
        " give one of them another parent"
    )
    return [Refusal(line, "cycle", f"line {line}: {text}") for line in dict.fromkeys(own)]


def signature(start: int, end: int) -> tuple[int, int | None]:
    """Return a span as proposals store it: start, and end or None for ever."""
    return start, None if end >= FOREVER_MS else end
