"""Clicks on partners' links: stored for good, then the visitor is sent on.

The way out is the link's landing page, or a deep link that the broker's landing pages cover; what
an address asks for beyond that is noted with the click and not followed.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import path

from pipshare import db, inbox, partners
from pipshare.api.sent import sender_of
from pipshare.facts.clicks import HUMAN, RANDOM_BYTES, SUBS, Click, click_id, is_click_id
from pipshare.facts.web_address import WebAddress, parse_address
from pipshare.partners.landings import MACROS
from pipshare.partners.links import CODE
from pipshare.settings import ENV, IS_HTTPS
from pipshare.tracking.bots import kind_of
from pipshare.tracking.landing import deep_link, destination
from pipshare.web import anyone, reading
from pipshare.web.errors import page

COOKIE = "pipshare-visitor"
COOKIE_S = 395 * 24 * 3600  # browsers keep none for longer
MOST_URL = 8_000  # characters
MOST_SUB = 500
_KEPT_S = 5.0  # so long a link is remembered: archived, it may be followed as before
_MOST_KEPT = 10_000
_METHODS = ("GET", "HEAD")
_COUNTRY = re.compile(r"[A-Z]{2}")
_NO_COUNTRY = ("XX", "ZZ", "T1")  # how proxies say that they do not know
_log = logging.getLogger("pipshare.clicks")


@dataclass(frozen=True)
class Way:
    """A link with all it takes to follow it: the entity's landing pages and settings."""

    link: partners.Link
    page: WebAddress
    landing_id: int
    allowed: tuple[WebAddress, ...]
    settings: partners.Tracking


@dataclass
class Kept:
    """The ways that were looked up lately, each until its moment; of one database."""

    where: db.Target | None = None
    ways: dict[str, tuple[float, Way | None]] = field(default_factory=dict)

    def way(self, code: str) -> Way | None:
        """Return the way of a link, None for a link that does not exist."""
        code, now = code.lower(), time.monotonic()
        if self.where != db.target() or len(self.ways) > _MOST_KEPT:
            self.where = db.target()
            self.ways.clear()
        had = self.ways.get(code)
        if had is not None and now < had[0]:
            return had[1]
        if had is not None:  # one looks again; who comes meanwhile takes what was known
            self.ways[code] = now + _KEPT_S, had[1]
        with reading() as conn:
            found = _look_up(conn, code)
        self.ways[code] = now + _KEPT_S, found
        return found


class BadAddress(Exception):
    """What was asked for cannot be read: status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def _store(conn: psycopg.Connection[Any], items: Sequence[tuple[Click, str]]) -> list[None]:
    inbox.store_clicks(conn, [one for one, _ in items], [address for _, address in items])
    return [None] * len(items)


kept = Kept()
gather: db.Gather[tuple[Click, str], None] = db.Gather(
    _store, name="pipshare-clicks", one_statement=True
)


def click(request: HttpRequest, code: str) -> HttpResponse:
    """Store a click and send the visitor on; it is answered when it is durable."""
    if request.method not in _METHODS:
        return HttpResponseNotAllowed(_METHODS)
    try:
        asked = _asked(request)
    except BadAddress as error:
        _log.warning("a click was refused: %s", error.sentence)
        return page(request, error.status, error.sentence)
    way = kept.way(code) if CODE.fullmatch(code) else None
    if way is None:
        return page(request, 404, "There is no such link, or not any more: ask whoever gave it to"
                                  " you for his new one.")  # fmt: skip
    made, leads_to = _made(request, way, asked)
    gather.submit((made, sender_of(request)))
    response = HttpResponse(status=302, headers={"Location": leads_to})
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    if made.visitor and made.visitor != request.COOKIES.get(COOKIE):
        response.set_cookie(COOKIE, made.visitor, max_age=COOKIE_S, path="/c/", secure=IS_HTTPS,
                            httponly=True, samesite="Lax")  # fmt: skip
    return response


def _made(request: HttpRequest, way: Way, asked: dict[str, str]) -> tuple[Click, str]:
    """Return the click and the address to send the visitor to."""
    link = way.link
    id_ = _new_id()

    def header(name: str) -> str:
        said: str = request.META.get("HTTP_" + name.replace("-", "_").upper(), "")
        return said

    kind = kind_of(request.method or "", header)
    page_, refused = None, ""
    if "to" in asked:
        page_, refused = deep_link(asked["to"], way.allowed)
    sub1, sub2, sub3, sub4, sub5 = (asked.get(f"sub{n}", "") for n in range(1, SUBS + 1))
    made = Click(
        id_, link.id, link.partner_id, (sub1, sub2, sub3, sub4, sub5),
        country=_country(header), agent=_text(header("User-Agent")[:200]),
        referrer=_host(_text(header("Referer")[:2_000])), kind=kind,
        visitor=_visitor(request, kind) if way.settings.visitor_cookie else "",
        landing_id=way.landing_id, target=page_.text if page_ else "", refused=refused,
        is_archived=link.state != partners.ACTIVE,
    )  # fmt: skip
    values = {"link": link.code, "campaign": link.campaign, "partner": link.partner,
              **{f"sub{n}": text for n, text in enumerate(made.subs, 1)}}  # fmt: skip
    return made, destination(page_ or way.page, values, way.settings.click_param, id_)


def _look_up(conn: psycopg.Connection[Any], code: str) -> Way | None:
    link = partners.find_links(conn, [code]).get(code)
    if link is None:
        return None
    found = partners.landings(conn, link.entity_id)
    chosen = next((one for one in found if one.id == link.landing_id), None)
    chosen = chosen or next((one for one in found if one.is_default), None)
    if chosen is None:
        return None
    return Way(link, parse_address(chosen.url, MACROS), chosen.id,
               tuple(parse_address(one.url, MACROS) for one in found),
               partners.tracking_settings(conn, link.entity_id))  # fmt: skip


def _asked(request: HttpRequest) -> dict[str, str]:
    """Return the parameters of the address, the first of each name. Raises BadAddress."""
    query = request.META.get("QUERY_STRING", "")
    if len(query) + len(request.path) > MOST_URL:
        raise BadAddress(414, f"The address has more than {MOST_URL} characters: leave out what the"
                              " link does not need.")  # fmt: skip
    if "\0" in request.path:
        raise BadAddress(400, "The address holds a zero byte.")
    if not query:
        return {}
    try:
        text = query.encode("latin-1").decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100)
    except UnicodeError:
        raise BadAddress(400, "The address is not written in UTF-8: encode sub-ids with %-signs"
                              " from UTF-8.") from None  # fmt: skip
    except ValueError:
        raise BadAddress(400, "The address has more than 100 parameters.") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    for name, value in found.items():
        if "\0" in value:
            raise BadAddress(400, f"The address holds a zero byte, in {name[:40]!r}.")
        if len(value) > MOST_SUB and name.startswith("sub"):
            raise BadAddress(400, f"{name[:40]} has {len(value)} characters: at most {MOST_SUB}.")
    return found


def _new_id() -> str:
    return click_id(time.time_ns() // 1_000_000, secrets.token_bytes(RANDOM_BYTES))


def _visitor(request: HttpRequest, kind: int) -> str:
    """Return whose browser this is: as its cookie says, or somebody new; programs are nobody."""
    said = request.COOKIES.get(COOKIE, "")
    if is_click_id(said):
        return said
    return _new_id() if kind == HUMAN else ""


def _country(header: Callable[[str], str]) -> str:
    """Return the country as the operator's proxy tells it, "" where it does not."""
    said = header(ENV.country_header).upper() if ENV.country_header else ""
    return said if _COUNTRY.fullmatch(said) and said not in _NO_COUNTRY else ""


def _text(said: str) -> str:
    """Return what a header said; its bytes are UTF-8 if anything."""
    return said.replace("\0", "").encode("latin-1", "replace").decode("utf-8", "replace")


def _host(address: str) -> str:
    """Return the host of a Referer; whatever cannot be read has none."""
    try:
        return (urlsplit(address).hostname or "")[:253]
    except ValueError:
        return ""


_open = anyone(click)
urlpatterns = [path("c/<str:code>", _open, name="click"), path("c/<str:code>/", _open)]
