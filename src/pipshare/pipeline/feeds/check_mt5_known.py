"""What an MT5 server says held against what is known here: groups, cent accounts, symbols, agents.

In the caller's transaction; nothing is written.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from pipshare import clients, market
from pipshare.market import Server
from pipshare.money.currencies import CENT_CURRENCIES
from pipshare.pipeline import agents as native
from pipshare.pipeline.feeds.check import OK, WARNING, Finding
from pipshare.pipeline.feeds.check_mt5_told import counted, listed
from pipshare.pipeline.run import Run
from pipshare.sources.mt5_web import DealsAnswer

_GROUPS = """
SELECT DISTINCT group_name FROM (
    SELECT DISTINCT ON (t.account_id) t.group_name
      FROM clients_account_state t JOIN clients_account a ON a.id = t.account_id
     WHERE a.server_id = %(server)s ORDER BY t.account_id, t.valid_from DESC, t.id DESC) s
 WHERE group_name <> ''
"""
_CENT = "0.01"


def groups(
    run: Run, server: Server, users: pl.DataFrame, told: pl.DataFrame
) -> list[Finding]:  # fmt: skip
    """Groups that accounts or load files name here, and that the manager does not see."""
    seen = {name.casefold() for name in [*told["group"], *users["group"]]}
    rows = market.groups(run.conn, server.id)
    named = {row.mask for row in rows if "*" not in row.mask}
    named |= {row[0] for row in run.conn.execute(_GROUPS, {"server": server.id})}
    hidden = sorted(name for name in named if name.casefold() not in seen)
    if not hidden or told.is_empty():
        return []
    text = (f"groups that are known here are not visible to this manager: {listed(hidden)}; their"
            " trades cannot be read: add them to the manager's list of groups, if they still"
            " exist")  # fmt: skip
    return [Finding(WARNING, "groups", text)]


def cent(
    run: Run, server: Server, users: pl.DataFrame, told: pl.DataFrame, utc_ms: int
) -> list[Finding]:
    """Cent groups without a lot factor, each with the line to load."""
    used = set(users["group"])
    rows = market.groups(run.conn, server.id)
    lacking = []
    for name, currency in told.select("group", "currency").iter_rows():
        if name not in used or not _is_cent(name, currency):
            continue
        place = market.match_group(rows, name, utc_ms)
        if place < 0 or rows[place].lot_factor == 1:
            lacking.append((name, currency))
    if not lacking:
        return []
    lines = [f"{server.code},{name},{_CENT},{currency}" for name, currency in sorted(lacking)]
    text = (f"{counted(len(lacking), 'group')} of cent accounts, by currency or name: there a lot"
            f" commonly counts {_CENT} (the contract size does not tell; ask the administrator):"
            " `pipshare load groups` with server,group,lot_factor,currency: "
            + "; ".join(lines))  # fmt: skip
    return [Finding(WARNING, "cent groups", text)]


def _is_cent(name: str, currency: str) -> bool:
    words = name.casefold().replace("center", "").replace("central", "").replace("centre", "")
    return currency in CENT_CURRENCIES or "cent" in words


def symbols(
    run: Run, server: Server, told: pl.DataFrame, answers: Sequence[DealsAnswer]
) -> list[Finding]:
    """Symbols that are traded and in no symbol group of a plan, and those that differ from here."""
    book = run.symbols(server)
    traded = {name for answer in answers for name in answer.deals["symbol"].unique() if name}
    wanted = _symbol_groups(run)
    found = []
    if wanted:
        outside = sorted(name for name in traded if _group(book.resolve(name)) not in wanted)
        if outside:
            text = (f"{counted(len(outside), 'traded symbol')} in no symbol group that a plan names"
                    f" ({listed(outside)}): rates by symbol group do not reach them; load symbols"
                    f" with symbol,symbol_group,alias")  # fmt: skip
            found.append(Finding(WARNING, "symbols", text))
    differ = market.symbols_differ(book, told)
    if differ:
        text = (f"{counted(len(differ), 'symbol')} with other values here than on the platform, and"
                f" what is here holds: {'; '.join(differ[:5])}; put right what is wrong with"
                " `pipshare load symbols`")  # fmt: skip
        found.append(Finding(WARNING, "symbols", text))
    return found


def _symbol_groups(run: Run) -> set[str]:
    """Return the symbol groups that rates of any programme name."""
    rates = [
        rate
        for version in run.book.versions
        for component in version.programme.components
        for rate in component.rates
    ]
    return {rate.symbol_group.lower() for rate in rates if rate.symbol_group}


def _group(row: market.SymbolRow | None) -> str:
    return row.symbol_group.lower() if row is not None else ""


def agents(
    run: Run, server: Server, users: pl.DataFrame, answers: Sequence[DealsAnswer]
) -> list[Finding]:
    """Accounts whose agent the platform pays itself, and of which nobody has decided."""
    logins = set(users.filter(pl.col("agent") != 0)["login"])
    for answer in answers:
        paid = answer.deals.select("deal", "login", "action").with_columns(
            comment=answer.remarks["comment"]
        )
        logins |= set(native.named(paid.filter(pl.col("action").is_in(native.ACTIONS)))["login"])
    known = clients.agents(run.conn, server.code)
    decided = {one.login for one in known if one.decision is not None}
    waiting = sorted(({one.login for one in known} | logins) - decided)
    if not waiting:
        return [Finding(OK, "native agents", "the platform pays no agent that nobody decided of")]
    text = (f"the platform itself pays an agent for {counted(len(waiting), 'account')}"
            f" ({listed([str(login) for login in waiting])}): paying a partner too would pay twice,"
            " so their trades wait until `pipshare agent decide LOGIN --pay|--none`; `pipshare"
            " agent list` shows them once the source was read")  # fmt: skip
    return [Finding(WARNING, "native agents", text)]
