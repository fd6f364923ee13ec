"""The page on which a person sees what the tracker received."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

_STYLE = """body{font:14px system-ui,sans-serif;margin:2rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #d5dae0;padding:.4rem;
text-align:left;vertical-align:top}.bad{color:#a40e26}.good{color:#116329}code{word-break:break-all}
@media(prefers-color-scheme:dark){body{color:#e6e9ed;background:#14171a}td,th{border-color:#333a41}
.bad{color:#ff8b8b}.good{color:#7ee39a}}"""


def page(rows: Sequence[dict[str, Any]], count: int, dialects: Sequence[str]) -> str:
    """Return the page: a table of what came, newest first."""
    body = "".join(_row(one) for one in rows) or (
        "<tr><td colspan=7>Nothing has come yet. Point a receiver at "
        "<code>/voluum/postback</code> or another dialect, or at <code>/webhook</code>.</td></tr>"
    )
    links = " ".join(f'<a href="/?dialect={one}">{one}</a>' for one in dialects)
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta http-equiv=refresh content=5>"
        f"<title>Sandbox tracker</title><style>{_STYLE}</style><h1>Sandbox tracker</h1>"
        f'<p>{count} requests received. <a href="/">all</a> {links}'
        ' <a href="/received">as JSON</a></p><table><thead><tr><th>#<th>at<th>request<th>says'
        f"<th>wrong with it<th>answered<th>repeat</tr></thead><tbody>{body}</tbody></table>"
    )


def _row(one: dict[str, Any]) -> str:
    said = ", ".join(f"{name} {value}" for name, value in one["said"].items() if value)
    if one["verified"] is not None:
        said += " (signature fits)" if one["verified"] else " (signature does not fit)"
    wrong = (
        f"<td class=bad>{escape('; '.join(one['wrong']))}"
        if one["wrong"]
        else "<td class=good>nothing"
    )
    repeat = f"{one['repeats']} times before" if one["repeats"] else ""
    return (
        f"<tr><td>{one['number']}<td>{escape(one['at'])}<td>{escape(one['method'])} "
        f"<code>{escape(one['path'])}</code><td>{escape(said)}{wrong}<td>{escape(one['answered'])}"
        f"<td>{repeat}</tr>"
    )
