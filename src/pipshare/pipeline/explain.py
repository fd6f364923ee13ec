"""Why each partner earned what he did from a trade: worked out anew, and held to the books."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import psycopg
from psycopg.rows import dict_row

from pipshare import clients, market, rating, trades
from pipshare.errors import BadInput, Missing
from pipshare.market import Server
from pipshare.period import from_ms
from pipshare.pipeline.explained.of_trade import Given, Part, parts_of_trade
from pipshare.pipeline.explained.whose import whose
from pipshare.pipeline.explained.words import barred_words, held_by_books
from pipshare.pipeline.explained.worked import MOST
from pipshare.pipeline.place import place
from pipshare.pipeline.run import Run
from pipshare.pipeline.twin_facts import chain_facts, fx_facts
from pipshare.pipeline.whose import attributed
from pipshare.rating.placed import Placed
from pipshare.rating.reasons import Reason
from pipshare.rating.twin import rate_one
from pipshare.rating.twin_placed import broker_day
from pipshare.rating.twin_values import Step, TwinLine, TwinResult
from pipshare.statements.looking import numbered

# A journal's printed ticket stands as its position, which no index knows: asked for last.
_PRINTED = """
SELECT DISTINCT server_id, ticket FROM trades_trade
 WHERE position = %s AND position <> 0 ORDER BY 1, 2
"""
_REVISIONS = """
SELECT t.revision, t.state, t.batch_id, f.name AS file, f.provenance, b.created_at::text AS taken_in
  FROM trades_trade t
  JOIN inbox_batch b ON b.id = t.batch_id
  LEFT JOIN inbox_file f ON f.id = b.file_id
 WHERE t.server_id = %s AND t.ticket = %s ORDER BY t.revision
"""
_POSTED = """
SELECT r.seq, r.revision, r.standing, c.code AS component, r.level::int AS level,
       r.partner AS partner_id, a.payee_kind, coalesce(p.code, k.code) AS partner, r.amount_e8,
       a.currency, a.state, a.cause, r.transfer_id AS transfer,
       r.day::text AS day
  FROM rating_line r
  JOIN plans_component c ON c.id = r.component
  JOIN ledger_account a ON a.id = r.account
  LEFT JOIN partners_partner p ON p.id = r.partner
  LEFT JOIN clients_client k ON a.payee_kind = 'client' AND k.id = a.payee_id
 WHERE r.server_id = %s AND r.ticket = %s AND r.revision <= %s
 ORDER BY r.seq, c.id, r.level
"""


@dataclass(frozen=True)
class Explanation:
    """All there is to say of one trade; amounts in 1e-8, moments in text where they are shown.

    `result` is the twin's, None unless the trade was introduced and closed after go-live; `posted`
    are the lines in the books up to the revision shown; `parts` are its parts of what builds up, of
    the newest revision alone; `agrees` tells whether the twin and the books come to the same
    amounts, None where nothing is to be compared (an older revision, a server that books nothing,
    a window that is not settled yet or too large to work out).
    """

    server: str
    trade: dict[str, Any]
    closed_utc: str
    revisions: list[dict[str, Any]]
    legs: list[trades.Leg]
    who: dict[str, Any]
    status: str
    result: TwinResult | None
    posted: list[dict[str, Any]]
    agrees: bool | None
    parts: list[Part] = field(default_factory=list)


def find(conn: psycopg.Connection, ticket: int, server: str | None) -> list[tuple[str, int]]:
    """Return (server, ticket) of every trade that a number may mean.

    A ticket goes before a position, and that before an opening deal.
    """
    codes = {one.id: one.code for one in market.servers(conn)}
    keys = [key[:2] for key in numbered(conn, ticket, None)]
    keys = keys or conn.execute(_PRINTED, (ticket,)).fetchall()
    found = [(codes[id_], number) for id_, number in keys if server in (None, codes[id_])]
    return [one for one in found if one[1] == ticket] or found


def explain(
    run: Run, server: Server, ticket: int, revision: int | None = None, *, most: int = MOST
) -> Explanation:
    """Explain a trade of a server, as it now stands or as a revision said.

    `most`: windows with more trades are not worked out.
    Raises Missing when there is no such ticket, BadInput for a revision it does not have.
    """
    revisions = _rows(run.conn, _REVISIONS, (server.id, ticket))
    if not revisions:
        raise Missing("no_trade", f"no trade {ticket} on server {server.code}: import it first")
    newest = revisions[-1]["revision"]
    wanted = newest if revision is None else revision
    if wanted not in [row["revision"] for row in revisions]:
        raise BadInput("no_revision", f"trade {ticket} has revisions 1 to {newest}, not {wanted}")
    trade = trades.revision(run.conn, server.id, ticket, wanted)
    who = whose(run, server, trade)
    status = _status(server, trade, who)
    run = run.looking(run.book)
    result, parts = None, []
    if status == "rated":
        given, made = _given(run, server, trade, who)
        result = _rate(run, server, given, made)
        if wanted == newest:
            client = (who["client_id"], who["client"]) if who["client_id"] else None
            parts = parts_of_trade(run, server.entity_id, given, client, most)
    posted = _rows(run.conn, _POSTED, (server.id, ticket, wanted))
    # What was booked of a trade that waits by now stays until that is settled.
    comparable = wanted == newest and status != "unbooked" and not (posted and status == "unknown")
    return Explanation(
        server=server.code,
        trade=trade,
        closed_utc=from_ms(trade["close_utc"]).isoformat(),
        revisions=revisions,
        legs=_legs(run, server, trade),
        who=who,
        status=status,
        result=result,
        posted=posted,
        agrees=_all_agree(_agrees(result, posted), parts) if comparable else None,
        parts=parts,
    )


def held_of(told: Explanation, line: TwinLine) -> str:
    """Return why a line of the twin is held: kyc or suspended; "" where it is not."""
    if not line.held:
        return ""
    held = [held_by_books(row["state"], row["cause"]) for row in told.posted
            if (row["component"], row["level"]) == (line.component, line.level)]  # fmt: skip
    return next((one for one in reversed(held) if one), "suspended")


def _status(server: Server, trade: dict[str, Any], who: dict[str, Any]) -> str:
    """Return rated, or why a trade is not: unbooked, history, direct, excluded, unknown."""
    if server.go_live_ms is None:
        return "unbooked"
    if who["standing"] == "introduced":
        return "rated" if trade["close_utc"] >= server.go_live_ms else "history"
    return str(who["standing"])


def _given(
    run: Run, server: Server, trade: dict[str, Any], who: dict[str, Any]
) -> tuple[Given, Placed]:
    """Return the trade for the twin, and the very columns that are rated when it is booked."""
    frame = pl.DataFrame([trade], schema={name: trades.SETTLED[name] for name in trade})
    found = attributed(run, server, frame)
    made = place(run, server, frame, found)
    facts = rating.column_facts(made.trades, made.symbols, made.groups, 0)
    return (facts, chain_facts(run, who)), made


def _rate(run: Run, server: Server, given: Given, made: Placed) -> TwinResult:
    """Rate the trade by hand; what was held for its client's KYC for too long is forfeited."""
    told = rate_one(*given, fx_facts(run), broker_day(run.day_clock(server)))
    if made.lacks is not None and made.lacks[0]:
        pair = f"no rate {made.lacks[0]} to tell whether the client is qualified: load fx"
        told = replace(told, working=(*told.working, Step("waits", pair)))
    if made.trades.blocked is not None and made.trades.blocked[0]:
        told = replace(told, working=(*told.working, Step("client", _barred(run, server, made))))
    if made.lost is None or not made.lost[0]:
        return told
    step = Step("reason", Reason.FORFEITED.sentence)
    lines = tuple(
        replace(line, reason=Reason.FORFEITED, amount_e8=0, orig_e8=0,
                working=(*line.working, step))
        if line.wait is None and line.reason == Reason.PAID else line
        for line in told.lines
    )  # fmt: skip
    return replace(told, lines=lines)


def _barred(run: Run, server: Server, made: Placed) -> str:
    """Say by which record the client's country is blocked at the close."""
    client, close = int(made.trades.client[0]), int(made.trades.close_utc_ms[0])
    blocks = run.blocks(server.entity_id)
    held = blocks and blocks.holding(*clients.countries_at(run.conn, client, close), close)
    return barred_words(*held) if held else Reason.JURISDICTION.sentence


def _legs(run: Run, server: Server, trade: dict[str, Any]) -> list[trades.Leg]:
    if server.platform != "mt5" or not trade["position"]:
        return []
    position = pl.DataFrame({"login": [trade["login"]], "position": [trade["position"]]})
    return trades.legs(trades.deals_of(run.conn, server.id, position), trade["ticket"])


def _agrees(result: TwinResult | None, posted: list[dict[str, Any]]) -> bool:
    """Tell whether what the twin says now is what stands in the books, payee by payee."""
    books: dict[tuple[str, int, str], int] = {}
    for row in posted:
        key = (row["component"], row["level"], row["currency"])
        books[key] = books.get(key, 0) + row["amount_e8"]
    twin: dict[tuple[str, int, str], int] = {}
    for line in result.lines if result else ():
        if line.wait is None:
            key = (line.component, line.level, line.wallet)
            twin[key] = twin.get(key, 0) + line.amount_e8
    names = books.keys() | twin.keys()
    return all(books.get(name, 0) == twin.get(name, 0) for name in names)


def _all_agree(lines: bool, parts: Sequence[Part]) -> bool | None:
    """Tell whether lines and windows are booked as they come to; None = of some nobody knows."""
    known = [lines, *(part.window.agrees for part in parts)]
    if False in known:
        return False
    return None if None in known else True


def _rows(conn: psycopg.Connection, query: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, values).fetchall()
