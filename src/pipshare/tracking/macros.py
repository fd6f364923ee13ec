"""Templates of postbacks: text with {macros}, checked when written and filled in without harm.

A value goes into a URL percent-encoded, into a form encoded, into JSON escaped: whatever a client's
or a partner's name holds, it ends no parameter, starts no header and leads to no other host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import quote, quote_plus, urlsplit

from pipshare.errors import BadInput

MACROS: dict[str, str] = {
    "click_id": "our id of the click that the client came by",
    "sub1": "sub1 of the link he clicked: by custom the tracker's own click id",
    **{f"sub{n}": f"sub{n} of the link he clicked" for n in range(2, 6)},
    "event": "what happened, in this tracker's words",
    "status": "the status that this tracker knows for it",
    "payout": "what the receiver's partner earned by it; empty where nothing is known yet",
    "currency": "of the payout, else of the amount",
    "amount": "the client's deposit, or the commission",
    "amount_currency": "of the amount",
    "txid": "id of what happened; of a reversal: of what is taken back",
    "id": "id of this message, the same for every attempt",
    "type": "the message's type, as in webhooks",
    "client_id": "the client's code",
    "country": "the client's country",
    "partner": "code of his introducing broker",
    "link": "code of the link",
    "campaign": "of the link",
    "server": "trade server",
    "ticket": "of the trade",
    "symbol": "of the trade",
    "lots": "of the trade",
    "time": "when it happened, seconds since 1970",
    "date_time": "when it happened, ISO 8601 in UTC",
}
LONGEST = 4_000  # characters of a template; what is filled in may be longer, to MOST_URL
MOST_URL = 8_000
_MACRO = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SPACE = re.compile(r"[\x00-\x20\x7f-\x9f]")
# Characters of a URL that stand for something and of those that need no encoding.
_WRITTEN = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]|\{[A-Za-z_][A-Za-z0-9_]*\}")


def _url(value: str) -> str:
    return quote(value, safe="")


def _json(value: str) -> str:
    return json.dumps(value)[1:-1]


_WAYS: dict[str, Callable[[str], str]] = {"url": _url, "form": quote_plus, "json": _json}


@dataclass(frozen=True)
class Template:
    """Text with macros, and how a value is written into it: url, form or json."""

    text: str
    way: str

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with every macro's value, encoded; a macro without a value is empty."""
        encode = _WAYS[self.way]
        return _MACRO.sub(lambda found: encode(values.get(found[1], "")), self.text)

    @property
    def macros(self) -> tuple[str, ...]:
        """Return the names of the macros in it, each once."""
        return tuple(dict.fromkeys(_MACRO.findall(self.text)))


def url_template(text: str, known: Collection[str] = MACROS) -> Template:
    """Check the template of an address, with macros that are `known`.

    Raises BadInput: without https:// (or http://), without a host, with a macro before the path
    (who fills it in would choose the host), with an unknown macro, a blank, or too long.
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise BadInput("too_long", f"the URL has {len(text)} characters; at most {LONGEST}")
    check_macros(text, "the URL", known)
    if not re.match(r"https?://", text, re.IGNORECASE):
        raise BadInput("no_scheme", f"the URL {_cut(text)!r} has no scheme: begin it with https://")
    if _SPACE.search(text):
        raise BadInput("bad_url", "the URL has a blank or a control character in it: write %20")
    wrong = _WRITTEN.sub("", text)
    if wrong:
        raise BadInput("bad_url", f"the URL has {wrong[0]!r} in it, which an address cannot have:"
                                  f" write {quote(wrong[0])}")  # fmt: skip
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadInput("bad_url", f"the URL {_cut(text)!r} cannot be read: {error}") from None
    if not host:
        raise BadInput("no_host", f"the URL {_cut(text)!r} has no host")
    if parts.netloc.endswith(":"):  # https://https://...: an address was put where a host belongs
        raise BadInput("bad_url", f"the URL {_cut(text)!r} names the host {parts.netloc!r}: write"
                                  " https:// once, and a colon only before a port")  # fmt: skip
    if _MACRO.search(parts.netloc):
        raise BadInput("macro_in_host", "a macro may stand in the path and the query, not in the"
                                        f" host: {parts.netloc}")  # fmt: skip
    if parts.username is not None or parts.password is not None:
        raise BadInput("user_in_url", "write no user or password into the URL, logs would show it:"
                                      " use a header")  # fmt: skip
    if parts.fragment:
        raise BadInput("fragment", "what stands behind # is never sent: leave it away")
    return Template(text, "url")


def body_template(text: str, way: str) -> Template:
    """Check the template of a body, `way` form or json. Raises BadInput for an unknown macro."""
    if way not in ("form", "json"):
        raise BadInput("bad_body", f"a body is form or json, not {way!r}")
    if len(text) > LONGEST:
        raise BadInput("too_long", f"the body has {len(text)} characters; at most {LONGEST}")
    check_macros(text, "the body")
    template = Template(text.strip(), way)
    if way == "json":
        _is_json(template.fill(dict.fromkeys(MACROS, "1")), "the body")
    return template


def header_template(name: str, text: str) -> Template:
    """Check a header and its template. Raises BadInput for what no header can hold."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9\-]{0,63}", name):
        raise BadInput("bad_header", f"{_cut(name)!r} is no name of a header: letters, digits, -")
    if name.lower() in _RESERVED or name.lower().startswith(("webhook-", "proxy-", "sec-")):
        raise BadInput("bad_header", f"the header {name} is set by pipshare itself")
    if re.search(r"[^\x20-\x7e]", text):
        raise BadInput("bad_header", f"the header {name} has a line break or a character that"
                                     " headers cannot hold")  # fmt: skip
    check_macros(text, f"the header {name}")
    return Template(text.strip(), "url")  # encoded: no value can begin another header


_RESERVED = {
    "host", "content-length", "content-type", "transfer-encoding", "connection", "te", "trailer",
    "upgrade", "expect", "user-agent", "cookie", "accept-encoding", "keep-alive",
}  # fmt: skip


def checked_url(text: str) -> str:
    """Return a filled-in address. Raises BadInput when it became too long."""
    if len(text) > MOST_URL:
        raise BadInput("too_long", f"filled in, the URL has {len(text)} characters; trackers take"
                                   f" {MOST_URL} at most")  # fmt: skip
    return text


def checked_json(text: str) -> str:
    """Return a filled-in JSON body. Raises BadInput when it is none."""
    _is_json(text, "filled in, the body")
    return text


def _is_json(text: str, what: str) -> None:
    try:
        json.loads(text)
    except ValueError as error:
        raise BadInput("bad_json", f"{what} is not valid JSON: {error}; put quotes around macros"
                                   " that may be empty") from None  # fmt: skip


def check_macros(text: str, where: str, known: Collection[str] = MACROS) -> None:
    """Raise BadInput for a macro in `text` that is not `known`; `where` says what has it."""
    for name in _MACRO.findall(text):
        if name not in known:
            close = get_close_matches(name.lower(), known, 1)
            hint = f"did you mean {{{close[0]}}}?" if close else "there is no such macro."
            said = ", ".join(f"{{{one}}}" for one in known)
            raise BadInput("unknown_macro", f"{where} has {{{name}}}: {hint} Known macros: {said}")


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
