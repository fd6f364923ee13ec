"""The page on which a person sees what the CRM did, what it sent, and what it was asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from pipshare.sandbox.crm.controls import CONTROLS
from pipshare.sandbox.crm.courier import GIVEN_UP, TAKEN, WAITING

if TYPE_CHECKING:
    from pipshare.sandbox.crm.server import CrmServer

_SHOWN = 40
_STYLE = """body{font:14px system-ui,sans-serif;margin:1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #d5dae0;padding:.3rem;
text-align:left;vertical-align:top}.bad{color:#a40e26}.good{color:#116329}code{word-break:break-all}
div{overflow-x:auto}@media(prefers-color-scheme:dark){body{color:#e6e9ed;background:#14171a}
a{color:#8ab4ff}td,th{border-color:#333a41}.bad{color:#ff8b8b}.good{color:#7ee39a}}"""


def page(crm: CrmServer) -> str:
    """Return the page."""
    counts = crm.courier.counts()
    happened = [
        (one["at"], one["trader"], one["what"], one["number"], one["plot"], _about(one))
        for one in crm.books.newest(_SHOWN)
    ]
    sent = [
        (one["id"], one["event"], one["trader"], one["state"], one["attempts"],
         f"{one['status'] or ''} {one['answer']}")
        for one in crm.courier.newest(_SHOWN)
    ]  # fmt: skip
    asked = [(one["at"], one["dialect"], _about(one["said"]), one["answered"])
             for one in crm.log.newest(_SHOWN)]  # fmt: skip
    controls = "".join(f"<li><code>POST /control/{escape(name)}</code> {escape(about)}"
                       for name, about in CONTROLS.items())  # fmt: skip
    return (
        '<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width='
        'device-width,initial-scale=1"><meta http-equiv=refresh content=5><title>Sandbox CRM'
        f"</title><style>{_STYLE}</style><h1>Sandbox CRM</h1><p>{len(crm.books.traders)} traders,"
        f" {len(crm.books.happened)} deeds; webhooks: {counts[TAKEN]} taken, {counts[WAITING]}"
        f" waiting, {counts[GIVEN_UP]} given up; {crm.log.count} requests received. As JSON:"
        ' <a href="/happened">happened</a> <a href="/sent">sent</a> <a href="/received">received'
        "</a></p><h2>What happened</h2>"
        + _table(("at", "trader", "what", "number", "his story", "with"), happened)
        + "<h2>Webhooks</h2>"
        + _table(("id", "event", "trader", "state", "attempts", "answer"), sent)
        + "<h2>Requests</h2>"
        + _table(("at", "of", "what", "answered"), asked)
        + f"<h2>Let something happen</h2><ul>{controls}</ul>"
    )


def _about(told: dict[str, Any]) -> str:
    shown = ("at", "trader", "plot", "what", "number")
    return ", ".join(f"{key} {value}" for key, value in told.items() if value and key not in shown)


def _table(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    body = "".join("<tr>" + "".join(_cell(one) for one in row) for row in rows)
    head = "".join(f"<th>{escape(name)}" for name in names)
    empty = f"<tr><td colspan={len(names)}>Nothing yet.</td></tr>"
    return f"<div><table><thead><tr>{head}</tr></thead><tbody>{body or empty}</tbody></table></div>"


def _cell(value: Any) -> str:
    kind = {TAKEN: " class=good", GIVEN_UP: " class=bad"}.get(str(value), "")
    return f"<td{kind}>{escape(str(value))}"
