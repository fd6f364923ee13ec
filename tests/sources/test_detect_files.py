"""What a file is: told by content, and refused in one sentence when it is nothing we read."""

import re
import zipfile
from pathlib import Path

import pytest
from fixtures_html import mt4, mt5

from pipshare.errors import BadInput
from pipshare.sources.files import read

FRAMESET = """<html xmlns:x="urn:schemas-microsoft-com:office:excel">
<head><title>Statement: 7000 - X</title><style>.msdate {}</style></head>
<frameset rows="*,39"><frame src="Statement_files/sheet001.htm" name="frSheet"></frameset></html>"""
MT4 = mt4.statement([mt4.Trade(1)])
MT5 = mt5.html(mt5.Report([mt5.balance(1, "5.00", "Deposit")]))
REFUSED = {
    "empty": (b"", "is empty"),
    "blank": (b" \r\n\t\n", "is empty"),
    "frameset": (FRAMESET.encode(), "frameset"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(200), "picture"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(range(256)), "picture"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel"),
    "gzip": (b"\x1f\x8b\x08" + bytes(50), "unpack"),
    "binary": (bytes(range(256)) * 20, "binary"),
    "json": (b'{"trades": []}', "JSON"),
    "web page": (b"<html><body><p>Hello</p></body></html>", "web page"),
    "tester": (MT4.replace("Statement: 7", "Strategy Tester: 7").encode(), "tester"),
    "mt5 tester": (MT5.replace("Trade History", "Strategy Tester").encode(), "tester"),
    "prose": (b"Dear Sir or Madam, please find attached\nmy trades. Regards", "none of the known"),
    "mhtml": (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", "web archive"),
    "cut xlsx": (mt5.xlsx(mt5.Report([]))[:-300], "cannot be read"),
    "word": (mt5.archive({"word/document.xml": b"<x/>"}), "Word"),
    "zip": (mt5.archive({"statement.htm": b"<x/>"}), "ZIP archive"),
    "ods": (mt5.archive({"content.xml": b"<x/>"}), "OpenDocument"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("suffix", ["htm", "xls", "csv"])
def test_what_is_none_of_our_formats_is_refused_in_a_sentence(
    kind: str, suffix: str, tmp_path: Path
) -> None:
    data, words = REFUSED[kind]
    path = tmp_path / f"Statement 7.{suffix}"
    path.write_bytes(data)
    with pytest.raises(BadInput) as refused:
        list(read(path).chunks())
    assert words in refused.value.message
    assert path.name in refused.value.message
    assert "\n" not in refused.value.message
    assert re.search(r": .{8}", refused.value.message)  # it says what to do


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder"):
        read(tmp_path)
    with pytest.raises(BadInput, match="does not exist"):
        read(tmp_path / "gone.htm")


@pytest.mark.parametrize("suffix", ["htm", "xls", "csv", "png", ""])
def test_the_name_of_a_file_plays_no_part(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"file.{suffix}"
    for data, expected in ((MT4.encode(), "mt4_statement"), (MT5.encode("utf-16"), "mt5_report"),
                           (mt5.xlsx(mt5.Report([])), "mt5_report")):  # fmt: skip
        path.write_bytes(data)
        assert read(path).meta.format == expected


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("xl/workbook.xml", "<x/>")
        file.writestr("xl/worksheets/sheet1.xml", bytes(64 * 2**20))
    with pytest.raises(BadInput) as refused:
        read(path)
    assert refused.value.code == "zip_bomb"
