"""Where a click leads: the landing page with the click's id, or a deep link that is allowed.

Never anywhere else: what a visitor's address asks for is compared part by part with the landing
pages of the broker, and the address sent is put together anew from those parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote, unquote_plus

from pipshare.errors import BadInput
from pipshare.facts.web_address import WebAddress, parse_address

NOT_ALLOWED = "not_allowed"


def deep_link(asked: str, allowed: Iterable[WebAddress]) -> tuple[WebAddress | None, str]:
    """Return the address asked for when a landing page covers it, else None and why not.

    The reason is a code of parse_address, or NOT_ALLOWED: another scheme, host, port or path.
    """
    try:
        found = parse_address(asked)
    except BadInput as error:
        return None, error.code
    if any(one.covers(found) for one in allowed):
        return found, ""
    return None, NOT_ALLOWED


def destination(
    page: WebAddress, values: Mapping[str, str], click_param: str, click_id: str
) -> str:
    """Return the address to send a visitor to: the page's own, filled in, with the click's id.

    {names} in query and fragment become `values`, percent-encoded. The id is added as
    `click_param`, unless the page has a place for it; whoever brings a parameter of that name
    along loses it.
    """
    has_place = "{click_id}" in page.query + page.fragment
    query = page.query if has_place else _without(page.query, click_param)
    filled = _filled(query, {**values, "click_id": click_id})
    if not has_place:
        filled += f"{'&' if filled else ''}{quote(click_param, safe='')}={click_id}"
    fragment = _filled(page.fragment, {**values, "click_id": click_id})
    return replace(page, query=filled, fragment=fragment).text


def _filled(text: str, values: Mapping[str, str]) -> str:
    if "{" not in text:
        return text
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", quote(value, safe=""))
    return text


def _without(query: str, name: str) -> str:
    """Return a query without the parameters of one name, however they are encoded."""
    if not query:
        return ""
    kept = [one for one in query.split("&")
            if unquote_plus(one.partition("=")[0]).lower() != name.lower()]  # fmt: skip
    return "&".join(kept)
