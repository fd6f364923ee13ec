"""Native agents: found on the platform, alerted, and decided by a person, which takes effect."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipshare import clients, db, inbox, market, rating
from pipshare.errors import BadInput
from pipshare.market import Server
from pipshare.pipeline.book import Booked
from pipshare.pipeline.rest import to_rest
from pipshare.pipeline.run import Run

ALERT = "native_agent"
ACTIONS = (10, 11, 18)  # EnDealAction: AGENT_DAILY, AGENT_MONTHLY, AGENT
MANY = 10_000  # accounts: from here on the whole server is rated again rather than they by name
_CLIENT = r"'\s*(\d{1,18})\s*'"  # agent '<client login>' - #<client deal>
_STORED = """
SELECT DISTINCT ON (named, login) ticket, login, comment
  FROM (SELECT ticket, login, comment, substring(comment FROM %(named)s) AS named FROM inbox_cash
         WHERE server_id = %(server)s AND kind = 'agent') c
 WHERE named IS NOT NULL ORDER BY named, login, ticket
"""
_SCHEMA = {"deal": pl.Int64, "login": pl.Int64, "comment": pl.String}
_SHOWN = 5


def note_agent_deals(
    run: Run, server: Server, deals: pl.DataFrame, comments: pl.Series, moment_ms: int
) -> list[int]:
    """Write down the accounts for which deals paid an agent, in a transaction of its own.

    `deals` is a DEAL frame, `comments` parallel to it. To be called before these deals are taken
    in, so that nothing is booked beside them. Returns the accounts newly found.
    """
    told = deals.select("deal", "login", "action").with_columns(comment=comments)
    told = told.filter(pl.col("action").is_in(ACTIONS)).select(list(_SCHEMA))
    if told.is_empty():
        return []
    run.conn.commit()
    with run.conn.transaction():
        return keep(run, server, named(told), "deal", moment_ms)


def named(told: pl.DataFrame) -> pl.DataFrame:
    """Return login (the client's), agent, detail of deals (deal, login, comment) that name one."""
    return (
        told.with_columns(client=pl.col("comment").str.extract(_CLIENT).cast(pl.Int64))
        .filter(pl.col("client") > 0)
        .select(
            pl.col("client").alias("login"),
            pl.col("login").alias("agent"),
            detail=pl.format("deal {} paid agent {}: {}", "deal", "login", "comment"),
        )
    )


def stored(run: Run, server: Server) -> pl.DataFrame:
    """Return the same of the agent deals taken in so far, whatever they came with."""
    found = run.conn.execute(_STORED, {"server": server.id, "named": _CLIENT}).fetchall()
    return named(pl.DataFrame(found, schema=_SCHEMA, orient="row"))


def keep(
    run: Run, server: Server, found: pl.DataFrame, evidence: str, moment_ms: int
) -> list[int]:  # fmt: skip
    """Write down native agents (login, agent, detail) in the open transaction; see `noticed`."""
    if found.is_empty():
        return []
    new = clients.note_agents(run.conn, server.id, found, evidence, moment_ms)
    if new:
        noticed(run, server, new)
    return new


def noticed(run: Run, server: Server, logins: Sequence[int]) -> None:
    """Alert, and ask that the accounts' trades be looked at again: from now on they wait.

    What is booked already stays until somebody decides.
    """
    ask(run, server, f"native agents on {server.code}", logins)
    tell(run, server)


def ask(run: Run, server: Server, cause: str, logins: Sequence[int], since_ms: int = 0) -> None:
    """Ask that the trades of these accounts be rated again, in the open transaction."""
    if server.go_live_ms is not None and logins:
        few = sorted(set(logins)) if len(logins) < MANY else None
        rating.request(run.conn, server.id, cause, from_ms=max(since_ms, 0), logins=few)
        db.wake(run.conn, "pipshare_work")


def tell(run: Run, server: Server) -> None:
    """Raise the alert about undecided accounts of a server, or take it back."""
    open_ = [one for one in clients.agents(run.conn, server.code) if one.decision is None]
    logins = sorted({one.login for one in open_})
    if not logins:
        inbox.resolve_alert(run.conn, ALERT, server_id=server.id)
        return
    shown = ", ".join(map(str, logins[:_SHOWN])) + (" ..." if len(logins) > _SHOWN else "")
    inbox.raise_alert(run.conn, ALERT, server.code, (
        f"accounts of {server.code} for which the platform itself pays an agent: {len(logins)}"
        f" ({shown}); paying a partner too would pay twice, so their trades wait; `pipshare agent"
        " list` shows them, `pipshare agent decide LOGIN --pay|--none` decides"
    ), server_id=server.id)  # fmt: skip


def decide(
    run: Run, server_code: str, logins: Sequence[int], decision: str, *, by: str, reason: str,
    valid_from_ms: int = 0,
) -> tuple[list[int], Booked]:  # fmt: skip
    """Decide whether pipshare pays for accounts with a native agent, and bring all to rest.

    No logins: all undecided ones. Returns the accounts, and what was taken up. Raises Missing for
    an account without a native agent, BadInput without a reason or when nothing is undecided.
    """
    server = market.server(run.conn, server_code)
    if not logins:
        known = clients.agents(run.conn, server.code)
        logins = [one.login for one in known if one.decision is None]
        if not logins:
            raise BadInput("nothing_to_decide", f"no account of {server.code} waits for a decision")
    decided = clients.decide_agents(
        run.conn, server.id, server.code, logins, decision, by=by, reason=reason,
        valid_from_ms=valid_from_ms,
    )  # fmt: skip
    ask(run, server, f"native agents on {server.code} decided", decided, valid_from_ms)
    tell(run, server)
    run.conn.commit()
    return decided, to_rest(run)
