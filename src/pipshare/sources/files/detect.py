"""What a file is, told by its content and never by its name.

DETECTORS is an ordered table: the first row whose test says yes names the format. A test sees an
Opened file, mostly its first characters (`opened.text`); it must be cheap and must not raise.
A file that no row knows is refused in one sentence (refuse.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pipshare.sources.files.decode import Opened
from pipshare.sources.files.recognise import RECOGNISED, has_mapping

Test = Callable[[Opened], bool]

_HTML = re.compile(r"<\s*(?:!doctype\s+html|html|head|body|table|frameset|meta)\b", re.I)
# "70001234 (USD, Broker-Live, real, Hedge)": the account line of every MT5 report, any language.
_MT5_ACCOUNT = re.compile(r"\d{3,18}(?:\s|&nbsp;)*\(\s*[A-Z][A-Z0-9]{2,7}\s*,[^<>()]*\)")
_FIRST_ROWS = re.compile(
    r"<t[dh][^>]*>[^<]*<b>[^<>:\uff1a]{1,60}[:\uff1a](?:\s|&nbsp;)*\d{3,20}\s*</b>", re.I
)
_NO_REPORT = re.compile(r"<frameset|<title>[^<]*Strategy Tester", re.I)
_MT4_STYLE = re.compile(r"\.ms(?:pt|date)\b|<title>\s*Statement:", re.I)


def is_html(opened: Opened) -> bool:
    """Tell whether the text is a web page that holds its data itself and is no tester's report."""
    text = opened.text.lstrip("\ufeff \t\r\n")
    return text.startswith("<") and bool(_HTML.search(text[:4096])) and not _NO_REPORT.search(text)


def _xlsx(opened: Opened) -> bool:
    return opened.head.startswith(b"PK\x03\x04")


def _mt5_html(opened: Opened) -> bool:
    return is_html(opened) and bool(_MT5_ACCOUNT.search(opened.text))


def _mt4_html(opened: Opened) -> bool:
    return is_html(opened) and bool(
        _MT4_STYLE.search(opened.text) or _FIRST_ROWS.search(opened.text)
    )


DETECTORS: list[tuple[str, Test]] = [
    ("mapped", has_mapping),
    ("mt5_report", _xlsx),
    ("mt5_report", _mt5_html),
    ("mt4_statement", _mt4_html),
    *RECOGNISED,
]


def detect(opened: Opened) -> str | None:
    """Return the name of the format, a key of files.READERS, or None."""
    return next((name for name, test in DETECTORS if test(opened)), None)
