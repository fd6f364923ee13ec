"""The line of every key and element, over hand-made and generated TOML."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipshare.plans.toml_lines import BareNumber, Lines, Path, load

ODD = '''# heading
top = """a [x]
  "" quoted \\""" # no comment
end"""
lit = \'\'\'it's
[[no]] = 5\'\'\'
"quoted key" = 'single # not a comment'
[ a . "b.c" ]  # table
x.y.z = 1
when = 1979-05-27 07:32:00Z
times = [ 1979-05-27 07:32:00Z,  # one
  07:32:00 , # two
  { p = [1,
    2], q = "}" },
  [ [ ], [ "]" ] ],
]
[[list]]
n = 1.5e3
[[list.sub]]
[[list.sub]]
k = true
[list.sub.deep]
d = -inf
[[list]]
[[list.sub]]
k = false
'''


def test_odd_places_are_found() -> None:
    data, lines = load(ODD, "odd.toml")
    expected: dict[Path, int] = {
        ("top",): 2, ("lit",): 5, ("quoted key",): 7, ("a", "b.c"): 8,
        ("a", "b.c", "x", "y", "z"): 9,
        ("a", "b.c", "when"): 10, ("a", "b.c", "times", 0): 11, ("a", "b.c", "times", 1): 12,
        ("a", "b.c", "times", 2, "p"): 13, ("a", "b.c", "times", 2, "p", 1): 14,
        ("a", "b.c", "times", 2, "q"): 14, ("a", "b.c", "times", 3, 1): 15,
        ("list", 0): 17, ("list", 0, "n"): 18, ("list", 0, "sub", 0): 19, ("list", 0, "sub", 1): 20,
        ("list", 0, "sub", 1, "k"): 21, ("list", 0, "sub", 1, "deep", "d"): 23,
        ("list", 1): 24, ("list", 1, "sub", 0, "k"): 26,
        ("list", 1, "sub", 0, "absent"): 25, ("nowhere",): 1,
    }  # fmt: skip
    assert {path: lines.of(path) for path in expected} == expected
    assert isinstance(data["list"][0]["n"], BareNumber)
    assert data["list"][0]["n"] == "1.5e3"
    assert data["list"][0]["sub"][1]["deep"]["d"] == "-inf"


NAMES = st.sampled_from(["a", "b-1", '"c d"', "'e.f'", '"g\\"h"'])
SCALARS = st.sampled_from(
    ["1", "-2.5", "true", '"x]}#"', "'y,='", '"""m\n\n"q" [z]"""', "'''l\n'''", "2026-11-01",
     '""', '"\\\\"', "1979-05-27 07:32:00"]
)  # fmt: skip
GAPS = st.sampled_from(["", " ", "\n", " # c ]}\n", "\n\t\n"])


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(SCALARS)
    items = draw(st.lists(values(depth=depth - 1), max_size=3))
    if draw(st.booleans()):
        return "[" + "".join(f"{draw(GAPS)}{v}{draw(GAPS)}," for v in items) + draw(GAPS) + "]"
    pairs = [f"k{i} = {v}" for i, v in enumerate(items)]
    return "{ " + ", ".join(pairs) + " }"


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts = []
    for number in range(draw(st.integers(0, 4))):
        header = draw(
            st.sampled_from([f"[t{number}]", "[[list]]", "[[list.sub]]", f"[x.t{number}]"])
        )
        if header == "[[list.sub]]" and "[[list]]" not in parts:
            continue
        parts.append(header)
        for name in draw(st.lists(NAMES, unique=True, max_size=3)):
            parts.append(f"{draw(st.sampled_from(['', '  ']))}{name} = {draw(values())}")
            parts.append(draw(st.sampled_from(["", "# note = [1"])))
    return "\n".join(parts) + "\n"


@given(documents())
def test_every_key_of_any_document_has_its_own_line(text: str) -> None:
    data, lines = load(text, "any.toml")
    source = text.split("\n")
    for path in _paths(data, ()):
        assert path in lines._places, (path, text)
        last = path[-1]
        if isinstance(last, str):
            shown = source[lines.of(path) - 1]
            assert last in shown.replace('\\"', '"'), (path, shown)


def _paths(value: Any, path: Path) -> list[Path]:
    found = [path] if path and path not in (("x",), ("list",)) and path[-1] != "sub" else []
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += _paths(item, (*path, key))
    return found


def test_unknown_places_fall_back_to_what_is_around() -> None:
    assert Lines({("a",): 3}).of(("a", 1, "b")) == 3
    assert Lines({}).of(("a",)) == 1
