"""The events file, checked by the rules of `load events`, with its clients numbered."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from pipshare.facts.events import CANCELLED, EVENT, MERGED, REASSIGNED, checked
from pipshare.pipeline.from_files.accounts import Accounts
from pipshare.pipeline.from_files.columns import MAIN
from pipshare.pipeline.from_files.people import People
from pipshare.pipeline.from_files.places import Refuser

_NUMBERED = {**EVENT, "client_id": pl.Int64}


def take_events(
    frame: pl.DataFrame, people: People, accounts: Accounts, servers: Mapping[str, object],
    refuse: Refuser,
) -> pl.DataFrame:  # fmt: skip
    """Return the events as EVENT columns and `client_id`; -1 where only a reference tells whose.

    With one client in the tree an event need not name him; one without an id is its line.
    """
    only = next(iter(servers)) if len(servers) == 1 else ""
    frame = frame.with_columns(
        event=pl.when(pl.col("event").fill_null("") == "")
        .then(pl.concat_str(pl.lit("line-"), pl.col("line").cast(pl.String)))
        .otherwise("event"),
        server=pl.when((pl.col("login").fill_null(0) != 0) & (pl.col("server").fill_null("") == ""))
        .then(pl.lit(only)).otherwise("server"),
        client=_clients(frame, people),
        currency=pl.when(pl.col("amount").is_not_null()).then(pl.col("currency").fill_null("USD")),
    )  # fmt: skip
    events, wrong = checked(frame.with_columns(entity=pl.col("entity").fill_null(MAIN)))
    for one in wrong:
        said = one.reason.removeprefix(f"line {one.line}, ")
        refuse.say(one.line, one.code, said)
    moving = pl.col("kind").is_in([*MERGED, REASSIGNED, CANCELLED])
    for line, kind in events.filter(moving).select("line", "kind").iter_rows():
        said = f"field kind: {kind} is not followed here: write accounts and tree as they are to be"
        refuse.say(line, "not_followed", said)
    events = events.filter(~moving)
    numbers = [
        _number(row, people, accounts) for row in
        events.select("entity", "client", "server", "login").iter_rows(named=True)
    ]  # fmt: skip
    events = events.with_columns(client_id=pl.Series(numbers, dtype=pl.Int64))
    lost = events.filter(pl.col("client_id") < 0)
    for row in lost.iter_rows(named=True):
        who = row["client"] or f"account {row['login']}"
        refuse.say(row["line"], "unknown_client", f"nobody knows {who}: add him to the tree")
    return events.filter(pl.col("client_id") >= 0)


def no_events() -> pl.DataFrame:
    """Return a frame of no events."""
    return pl.DataFrame(schema=_NUMBERED)


def _clients(frame: pl.DataFrame, people: People) -> pl.Expr:
    silent = (pl.col("client").fill_null("") == "") & (pl.col("login").fill_null(0) == 0)
    only = next(iter(people.clients))[1] if len(people.clients) == 1 else ""
    # What takes an event back is of the client of that event.
    owner = dict(zip(frame["event"].to_list(), frame["client"].to_list(), strict=True))
    named = pl.col("reference").fill_null("").replace_strict(owner, default="",
                                                             return_dtype=pl.String)  # fmt: skip
    told = pl.when(named.fill_null("") != "").then(named).otherwise(pl.lit(only))
    return pl.when(silent).then(told).otherwise(pl.col("client").fill_null(""))


def _number(row: Mapping[str, object], people: People, accounts: Accounts) -> int:
    if row["client"]:
        return people.clients.get((str(row["entity"]), str(row["client"])), -1)
    return accounts.owner.get((str(row["server"]), int(str(row["login"]))), -1)
