"""Whatever a file holds: a Programme comes back, or BadPlan with lines inside the file."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from pipshare.plans.keys import TABLES, names
from pipshare.plans.parse import COMPONENT_KEYS, RATE_KEYS, parse
from pipshare.plans.problems import BadPlan, Problem

VALUES = st.sampled_from(
    ['"a"', '""', "1", "0", "-1", "2.5", "nan", "true", "2026-11-01", "10:00:00", "[]", "{}",
     '"1/3"', '"20%"', '"*"', '"a*"', '"per_level"', '"override"', '"lot"', '"USD"', '"lots"',
     "2026-11-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01", "[{}]", "[1, {}]",
     '"' + "x" * 300 + '"', "99999999999999999999", '"١"', '"²"', '"pay"', '"none"', '"wait"',
     '["a"]', "[1, 1]", '["08:00-17:00", "25:00-26:00"]', '["mon"]', "[true]", '"spread"', '"rank"',
     '"points"', '"notional"', '"fixed"', '"qualified"', '"month"', '"rolling"', '"share_up"',
     '"1/0"', '"1e5"', '"\\u0000"', '{ a = [ { b = 1 } ] }']
)  # fmt: skip


@st.composite
def tables(draw: st.DrawFn, header: str, keys: tuple[str, ...]) -> str:
    chosen = draw(st.lists(st.sampled_from([*keys, "other"]), unique=True, max_size=len(keys)))
    return "\n".join([header, *(f"{key} = {draw(VALUES)}" for key in chosen)]) + "\n"


@st.composite
def files(draw: st.DrawFn) -> str:
    parts = [draw(tables("[programme]", names(TABLES["[programme]"])))]
    parts += draw(inner("[programme."))
    for _ in range(draw(st.integers(0, 2))):
        keys = tuple(key for key in COMPONENT_KEYS if key != "rate" or draw(st.booleans()))
        parts.append(draw(tables("[[component]]", keys)))
        parts += draw(inner("[component."))
        if "\nrate = " not in parts[-1]:
            for _ in range(draw(st.integers(0, 3))):
                parts.append(draw(tables("[[component.rate]]", RATE_KEYS)))
    return "".join(parts)


@st.composite
def inner(draw: st.DrawFn, begins: str) -> list[str]:
    """Some of the tables inside a table, each at most once."""
    titles = [title for title in TABLES if title.lstrip("[").startswith(begins.lstrip("["))]
    chosen = draw(st.lists(st.sampled_from(titles), unique=True, max_size=3))
    return [draw(tables(title, names(TABLES[title]))) for title in chosen]


@given(st.one_of(files(), st.text(max_size=60)))
@example('[programme]\ncode = "p"\nlevels = 1\n[[component]]\nrate = 5\n')
@example("[programme]\nvalid_from = 9999-12-31T23:59:59-12:00\n")
def test_any_file_is_read_or_refused_with_lines(text: str) -> None:
    problems = problems_of(text)
    last = text.count("\n") + 1
    assert all(1 <= problem.line <= last and problem.text.strip() for problem in problems)


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        assert parse(text, "any.toml").components
    except BadPlan as wrong:
        return wrong.problems or (Problem(0, ""),)
    return ()
