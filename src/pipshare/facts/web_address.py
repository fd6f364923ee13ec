"""Web addresses, read so strictly that no browser can understand one differently.

An address is taken apart as RFC 3986 says and refused wherever readers are known to disagree: names
before an @, backslashes, hosts that are not plain ASCII, dot segments and encoded slashes.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pipshare.errors import BadInput

MOST = 2_000  # characters
PORTS = {"https": 443, "http": 80}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_AUTHORITY = re.compile(r"([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_HIDDEN = re.compile(r"%(?:00|0[ad]|25|2e|2f|5c)", re.IGNORECASE)  # NUL, line ends, % . / \
_LEGAL = "/:@!$&'()*+,;=-._~%?"  # stays as it is; all else is percent-encoded
_MACRO = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class WebAddress:
    """An address with scheme and host; the path begins with a slash, the rest is "" if absent."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""
    fragment: str = ""

    @property
    def text(self) -> str:
        """The address as it is sent; plain ASCII without spaces."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        query = f"?{self.query}" if self.query else ""
        fragment = f"#{self.fragment}" if self.fragment else ""
        return f"{self.scheme}://{self.host}{port}{self.path}{query}{fragment}"

    def covers(self, other: WebAddress) -> bool:
        """Whether `other` has the same scheme, host and port, and is at or below this path."""
        if (self.scheme, self.host, self.port) != (other.scheme, other.host, other.port):
            return False
        above = self.path.rstrip("/")
        return other.path.rstrip("/") == above or other.path.startswith(above + "/")


def parse_address(text: str, macros: Collection[str] = ()) -> WebAddress:
    """Read an address. Query and fragment may hold {names} out of `macros`.

    Raises BadInput whose code says why not: too_long, no_scheme, bad_scheme, bad_characters,
    credentials, bad_host, bad_port, bad_path, unknown_macro.
    """
    if len(text) > MOST:
        raise BadInput("too_long", f"an address of {len(text)} characters is too long: at most"
                                   f" {MOST}")  # fmt: skip
    _refuse_characters(text)
    scheme, rest = _scheme(text)
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    host, port = _host(text, authority, scheme)
    braces = "{}" if macros else ""
    for name in _MACRO.findall(query + fragment) if macros else ():
        if name not in macros:
            known = " ".join(f"{{{one}}}" for one in macros)
            raise BadInput("unknown_macro", f"{text!r}: there is no {{{name}}}; known are {known}")
    return WebAddress(
        scheme, host, port, _path(text, slash + path), quote(query, safe=_LEGAL + braces),
        quote(fragment, safe=_LEGAL + braces),
    )  # fmt: skip


def _refuse_characters(text: str) -> None:
    """Refuse what browsers drop or turn into something else before they read an address."""
    bad = next((one for one in text if one <= " " or one in "\\\x7f"), None)
    if bad is not None or any("\x80" <= one <= "\xa0" or "\ud800" <= one <= "\udfff"
                              for one in text):  # fmt: skip
        raise BadInput(
            "bad_characters",
            f"{text[:200]!r} holds a space, a backslash or a control character: an address has"
            " none; write a space as %20",
        )


def _scheme(text: str) -> tuple[str, str]:
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    if not found or ("." in scheme and scheme not in PORTS):  # "example.com:443/a"
        raise BadInput("no_scheme", f"{text[:200]!r} does not begin with https://: write the whole"
                                    " address")  # fmt: skip
    rest = text[found.end():]  # fmt: skip
    if scheme not in PORTS:
        raise BadInput("bad_scheme", f"{text[:200]!r}: only https:// (and http://) leads to a page,"
                                     f" {scheme}: does not")  # fmt: skip
    if not rest.startswith("//"):
        raise BadInput("no_scheme", f"{text[:200]!r}: two slashes follow {scheme}:")
    return scheme, rest[2:]


def _host(text: str, authority: str, scheme: str) -> tuple[str, int]:
    if "@" in authority:
        raise BadInput("credentials", f"{text[:200]!r} holds an @ before the host: write the"
                                      " address without a name or password")  # fmt: skip
    found = _AUTHORITY.fullmatch(authority)
    host = found[1].lower() if found else ""
    if not found or len(host) > 253 or not all(map(_LABEL.fullmatch, host.split("."))):
        raise BadInput(
            "bad_host",
            f"{text[:200]!r}: {authority[:100]!r} is no host such as www.example.com; letters of"
            " other alphabets are written as browsers send them (xn--...)",
        )
    port = int(found[2]) if found[2] else PORTS[scheme]
    if not 0 < port < 65536:
        raise BadInput("bad_port", f"{text[:200]!r}: there is no port {port}")
    return host, port


def _path(text: str, path: str) -> str:
    """Return the path, encoded. Who may enter below one folder must not leave it again."""
    inner = path.strip("/")
    steps = {unquote(step).split(";")[0] for step in path.split("/")}
    if _HIDDEN.search(path) or "//" in path or steps & {".", ".."}:
        raise BadInput(
            "bad_path",
            f"{text[:200]!r}: the path {inner[:100]!r} holds '.', '..', an empty step, or an"
            " encoded slash, dot or percent sign, which servers read differently",
        )
    return quote(path, safe=_LEGAL.replace("?", "")) or "/"
