"""Files that a CRM drops: cut into payloads, taken once, moved away; what cannot be read stays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipshare.crm.folder import NDJSON, parse, pieces
from pipshare.errors import BadInput


def _told(name: str, body: str) -> list[tuple[bytes, str]]:
    return list(pieces(name, body.encode()))


def test_rows_of_csv_become_objects_of_texts() -> None:
    text = '\ufeffid; Amount ;Note\n1;0.10;"a;b"\n\n2;1.000,50;\n3;7\n'
    ((body, content_type),) = _told("a.CSV", text)
    assert content_type == "application/json"
    assert json.loads(body) == [
        {"id": "1", "Amount": "0.10", "Note": "a;b"},
        {"id": "2", "Amount": "1.000,50", "Note": ""},
        {"id": "3", "Amount": "7"},
    ]


def test_long_files_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "MOST_LINES", 2)
    lines = "".join(f'{{"n":{number}}}\r\n\n' for number in range(5))
    assert [(body.count(b"{"), kind) for body, kind in _told("a.ndjson", lines)] == [
        (2, NDJSON), (2, NDJSON), (1, NDJSON),
    ]  # fmt: skip
    assert len(_told("a.csv", "n\n1\n2\n3\n")) == 2
    array = json.dumps([{"n": number} for number in range(2_500)])
    assert [len(json.loads(body)) for body, _ in _told("a.json", array)] == [1_000, 1_000, 500]
    assert _told("a.json", '{"records": []}') == [(b'{"records": []}', "application/json")]


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("a.xml", b"<a/>", "none of .json"),
        ("a.csv", b" \n", "is empty"),
        ("a.csv", b"a,a\n1,2\n", "a name twice"),
        ("a.csv", b"a,b\n1,2,3\n", "line 2: 3 cells under 2 columns"),
        ("a.csv", b'a,b\n"1,2\n', "line 2"),
        ("a.csv", "a\né".encode("latin-1"), "not UTF-8"),
        ("a.json", b"[1, 2", "not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, body: bytes, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        list(pieces(name, body))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make the poller of a folder that takes files at the second look."""
    from pipshare.pipeline.crm import folder as folder_

    def make() -> Any:
        made = folder_.Folder(folder_.Config.parse({"dir": str(tmp_path)}, ""))
        made.looks.apart_s = 0.0
        return made

    return make


def test_a_file_is_moved_when_all_of_it_was_taken(
    folder: Callable[..., Any], tmp_path: Path
) -> None:
    for number, name in enumerate(("b.ndjson", "a.csv", "note.txt", "c.csv.part")):
        (tmp_path / name).write_text('{"n":1}\n' if name == "b.ndjson" else "n\n2\n")
        os.utime(tmp_path / name, (number, number))
    poller = folder()
    pages = poller.fetch({}, 0)
    first = next(pages)
    assert (first.body, first.content_type) == (b'{"n":1}\n', NDJSON)
    assert (tmp_path / "b.ndjson").exists()  # it may not be stored yet
    second = next(pages)
    assert not (tmp_path / "b.ndjson").exists()
    assert json.loads(second.body) == [{"n": "2"}]
    assert list(pages) == []
    assert {path.name for path in tmp_path.iterdir()} == {"done", "note.txt", "c.csv.part"}
    assert (tmp_path / "done" / "a.csv.report.txt").exists()
    (tmp_path / "a.csv").write_text("n\n3\n")  # another of the same name
    assert [json.loads(page.body) for page in poller.fetch({}, 0)] == [[{"n": "3"}]]
    assert len(list((tmp_path / "done").glob("a*.csv"))) == 2


def test_a_bad_file_is_refused_and_the_next_one_taken(
    folder: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text("[1,")
    os.utime(tmp_path / "a.json", (1, 1))
    (tmp_path / "b.json").write_text('{"n": 1}')
    with pytest.raises(BadInput, match=r"a.json was refused and lies in refused/") as caught:
        list(folder().fetch({}, 0))
    assert caught.value.code == "file_refused"
    assert "not valid JSON" in (tmp_path / "refused" / "a.json.report.txt").read_text()
    assert len(list(folder().fetch({}, 0))) == 1
