"""Code about code: budgets, docstrings, names, one writer per table, no float near money."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "pipshare"
FILES = sorted(path for path in SOURCE.rglob("*.py"))
OURS = [
    *FILES,
    *sorted((ROOT / "tests").rglob("*.py")),
    *sorted((ROOT / "benchmarks").rglob("*.py")),
]
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "service", "misc"}
MONEY = ("money", "rating", "ledger", "statements", "plans", "trades", "facts")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


# One test for all files: thousands of tests that take no time themselves take a lot of it.


def test_files_stay_small() -> None:
    sizes = {_name(path): path.read_text().count("\n") for path in OURS}
    long = {name: lines for name, lines in sizes.items() if lines > 400}
    assert not long, "cut them by verb (hard stop 400 lines)"


def test_the_median_file_is_short() -> None:
    sizes = [path.read_text().count("\n") for path in FILES if path.name != "__init__.py"]
    assert median(sizes) <= 120


def test_functions_stay_short() -> None:
    long = [
        f"{_name(path)}:{node.lineno} {node.name} has {length} lines"
        for path in FILES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > 70
    ]
    assert not long


def test_modules_open_with_a_sentence() -> None:
    wrong = []
    for path in FILES:
        if "migrations" in path.parts:
            continue
        text = ast.get_docstring(_tree(path)) or ""
        first = text.split("\n\n")[0].replace("\n", " ")
        named = first.startswith(("pipshare", "`pipshare "))  # a command opens with its name
        if not (first[:1].isupper() or named) or not first.rstrip().endswith((".", ":", "?")):
            wrong.append(f"{_name(path)}: {first!r} is no sentence")
    assert not wrong


def test_names_say_something() -> None:
    wrong = [
        _name(path) for path in FILES
        if FORBIDDEN_NAMES & {part.removesuffix(".py") for part in path.relative_to(SOURCE).parts}
    ]  # fmt: skip
    assert not wrong


def test_no_float_near_money() -> None:
    found = [
        f"{_name(path)}:{getattr(node, 'lineno', 0)} uses a float"
        for path in FILES
        if path.relative_to(SOURCE).parts[0] in MONEY
        for node in ast.walk(_tree(path))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Attribute) and node.attr in {"float64", "Float64"})
    ]
    assert not found


def _tables() -> dict[str, str]:
    found = {}
    for schema in SOURCE.glob("*/migrations/*.sql"):
        for table in re.findall(r"CREATE TABLE (\w+)", schema.read_text()):
            found[table] = schema.parts[-3]
    return found


def test_tables_are_written_by_their_owner_only() -> None:
    """Each table's owner is the only writer; SQL text of another folder that writes is an error."""
    tables = _tables()
    assert len(tables) > 20
    write = re.compile(
        r"(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|copy_in\(\s*\w+,\s*[\"'])\s*(\w+)", re.IGNORECASE
    )
    for path in [*FILES, *SOURCE.rglob("*.sql")]:
        owner = path.relative_to(SOURCE).parts[0]
        for table in write.findall(path.read_text()):
            if table in tables:
                assert tables[table] == owner, f"{_name(path)} writes {table} of {tables[table]}"


def test_nothing_committed_names_this_machine() -> None:
    secret = re.compile("/" + r"work/(main|shared|notes)|farm" + "-(studio|bench)")
    for path in [*OURS, *ROOT.glob("docs/**/*.md"), ROOT / "README.md", ROOT / "Makefile"]:
        assert not secret.search(path.read_text()), f"{_name(path)} names a machine's path or tool"


# The way of the money: a stage may read tables of the stages before it, never of those after.
STAGES = ("inbox", "trades", "attribution", "rating", "ledger", "statements")


def test_no_stage_reads_a_later_stages_table() -> None:
    tables = _tables()
    read = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)")
    found = 0
    for path in FILES:
        stage = path.relative_to(SOURCE).parts[0]
        if stage not in STAGES:
            continue
        for table in read.findall(path.read_text()):
            owner = tables.get(table, "")
            found += owner in STAGES
            later = owner in STAGES and STAGES.index(owner) > STAGES.index(stage)
            assert not later, f"{_name(path)} reads {table} of {owner}"
    assert found > 20, "the pattern no longer finds the statements"
