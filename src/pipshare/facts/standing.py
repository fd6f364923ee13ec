"""What events say of clients and accounts at many moments: registration, KYC, country, snapshots.

Pure, and by columns. Clients are numbers here, whichever way the caller numbers them. An event
counts from its moment on (`at_ms <= moment`); of two at one moment the later row holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import polars as pl

from pipshare.facts.events import KYC
from pipshare.period import FOREVER_MS, Millis

UNKNOWN, APPROVED, REJECTED, EXPIRED, WITHDRAWN = 0, 1, 2, 3, 4  # of Standing.kyc
NOT_QUALIFIED = -1
NO_SNAPSHOT = -1  # of Snapshots.age_ms
Lands = Callable[[int, int], tuple[str, str]]  # of a client at a moment: residence, document
_SAYS = dict(zip(KYC, (APPROVED, REJECTED, EXPIRED, WITHDRAWN), strict=True))


@dataclass(frozen=True)
class Standing:
    """What was true of clients at moments: parallel columns.

    `registered_ms`: UTC, 0 unknown. `kyc`: UNKNOWN to WITHDRAWN, since `kyc_ms` (0 where
    unknown). `country`: of residence, and `document`: of the KYC document, "" unknown; before the
    first one told that one serves.
    `qualified_ms`: since when the CRM says so, NOT_QUALIFIED where it does not.
    """

    registered_ms: Millis
    kyc: npt.NDArray[np.int8]
    kyc_ms: Millis
    country: pl.Series
    document: pl.Series
    qualified_ms: Millis


@dataclass(frozen=True)
class Snapshots:
    """The last snapshot of accounts before moments: parallel columns, zeros where there is none.

    `age_ms`: how long before the moment it was, NO_SNAPSHOT where there is none.
    """

    balance_e8: Millis
    credit_e8: Millis
    equity_e8: Millis
    age_ms: Millis


def standing_at(
    events: pl.DataFrame, client: Millis, moment_ms: Millis, countries: pl.DataFrame | None = None
) -> Standing:
    """Return what `events` (newest, with `client_id`) say of each client at each moment.

    `countries`: client_id, from_ms, country as loaded; they go before those of registrations.
    """
    asked = pl.DataFrame({"client_id": client, "at_ms": moment_ms}, schema={
        "client_id": pl.Int64, "at_ms": pl.Int64})  # fmt: skip
    events = events.with_columns(pl.col("client_id").cast(pl.Int64))
    kyc, kyc_ms = _kyc(events, asked)
    return Standing(
        _registered(events, asked), kyc, kyc_ms, _country(events, asked, countries),
        _document(events, asked), _qualified(events, asked),
    )  # fmt: skip


def lands_of(events: pl.DataFrame, countries: pl.DataFrame) -> Lands:
    """Return what says where a client lives and what his KYC document says at a moment.

    As standing_at says it of many, worked out one by one; "" = unknown.
    """
    lives: dict[int, list[tuple[int, str]]] = defaultdict(list)
    papers: dict[int, list[tuple[int, str]]] = defaultdict(list)
    rows = ("client_id", "at_ms", "country")
    for kinds, found in ((("registration",), lives), (KYC, papers)):
        told = events.filter(pl.col("kind").is_in(kinds))
        for client, at_ms, country in told.select(rows).iter_rows():
            found[client].append((at_ms, country))
    for client, from_ms, country in countries.select("client_id", "from_ms", "country").iter_rows():
        lives[client].append((from_ms, country))

    def last(told: Sequence[tuple[int, str]], moment_ms: int) -> str:
        named = sorted((one for one in told if one[1]), key=itemgetter(0))
        before = [country for at_ms, country in named if at_ms <= moment_ms]
        return before[-1] if before else named[0][1] if named else ""

    return lambda client, moment_ms: (
        last(lives.get(client, ()), moment_ms), last(papers.get(client, ()), moment_ms)
    )  # fmt: skip


def snapshots_at(
    events: pl.DataFrame, server: pl.Series | str, login: Millis, moment_ms: Millis
) -> Snapshots:
    """Return the last account_snapshot before (not at) each moment, of accounts (server, login)."""
    if isinstance(server, str):
        server = pl.Series([server], dtype=pl.String).new_from_index(0, len(login))
    asked = pl.DataFrame({"server": server, "login": login, "before": moment_ms - 1})
    told = events.filter(kind="account_snapshot").select(
        "server", "login", "balance_e8", "credit_e8", "equity_e8", "at_ms", before="at_ms"
    )
    found = _last(asked, told, "before", ["server", "login"])
    age = found["before"] + 1 - found["at_ms"]
    money = [found[f"{one}_e8"].fill_null(0).to_numpy() for one in ("balance", "credit", "equity")]
    return Snapshots(money[0], money[1], money[2], age.fill_null(NO_SNAPSHOT).to_numpy())


def _last(asked: pl.DataFrame, told: pl.DataFrame, on: str, by: list[str]) -> pl.DataFrame:
    """Return for each asked row the last told row at or before it, in the order asked."""
    told = told.with_row_index("place").sort(on, "place").drop("place")
    told = told.unique([*by, on], keep="last", maintain_order=True).sort(on)
    rows = asked.with_row_index("asked").sort(on)
    found = rows.join_asof(told, on=on, by=by, strategy="backward", check_sortedness=False)
    return found.sort("asked").drop("asked")


def _registered(events: pl.DataFrame, asked: pl.DataFrame) -> Millis:
    first = events.filter(kind="registration").group_by("client_id").agg(
        pl.col("at_ms").min().alias("registered")
    )  # fmt: skip
    found = asked.join(first, on="client_id", how="left", maintain_order="left")
    return found["registered"].fill_null(0).to_numpy()


def _kyc(events: pl.DataFrame, asked: pl.DataFrame) -> tuple[npt.NDArray[np.int8], Millis]:
    told = events.filter(pl.col("kind").is_in(KYC)).select(
        "client_id", "at_ms", "expires_ms", since="at_ms",
        says=pl.col("kind").replace_strict(_SAYS, return_dtype=pl.Int8),
    )  # fmt: skip
    found = _last(asked, told, "at_ms", ["client_id"])
    ends = pl.when(pl.col("expires_ms") > 0).then("expires_ms").otherwise(FOREVER_MS)
    over = (pl.col("says") == APPROVED) & (ends <= pl.col("at_ms"))
    found = found.select(
        says=pl.when(over).then(pl.lit(EXPIRED, pl.Int8)).otherwise("says").fill_null(UNKNOWN),
        since=pl.when(over).then(ends).otherwise("since").fill_null(0),
    )
    return found["says"].to_numpy(), found["since"].to_numpy()


def _country(
    events: pl.DataFrame, asked: pl.DataFrame, countries: pl.DataFrame | None
) -> pl.Series:
    told = events.filter((pl.col("kind") == "registration") & (pl.col("country") != ""))
    told = told.select("client_id", "at_ms", "country")
    if countries is not None and len(countries):
        loaded = countries.filter(pl.col("country") != "").select(
            pl.col("client_id").cast(pl.Int64), pl.col("from_ms").alias("at_ms"), "country"
        )
        told = pl.concat([told, loaded])
    return _named(told, asked)


def _document(events: pl.DataFrame, asked: pl.DataFrame) -> pl.Series:
    told = events.filter(pl.col("kind").is_in(KYC) & (pl.col("country") != ""))
    return _named(told.select("client_id", "at_ms", "country"), asked)


def _named(told: pl.DataFrame, asked: pl.DataFrame) -> pl.Series:
    """Return the last country told by each moment; before the first one told that one."""
    if told.is_empty():
        return pl.Series("country", [""], dtype=pl.String).new_from_index(0, len(asked))
    found = _last(asked, told, "at_ms", ["client_id"])
    first = told.sort("at_ms", maintain_order=True).unique("client_id", keep="first")
    found = found.join(
        first.select("client_id", first="country"), on="client_id", how="left",
        maintain_order="left",
    )  # fmt: skip
    return found.select(pl.coalesce("country", "first", pl.lit("")).alias("country"))["country"]


def _qualified(events: pl.DataFrame, asked: pl.DataFrame) -> Millis:
    told = events.filter(pl.col("kind").is_in(["qualified", "unqualified"]))
    told = told.select("client_id", "at_ms", yes=pl.col("kind") == "qualified")
    told = told.with_row_index("place").sort("client_id", "at_ms", "place")
    # A repeated word changes nothing: qualified since the first of an unbroken run.
    before = pl.col("yes").shift(1).over("client_id")
    starts = pl.when(before.is_null() | (before != pl.col("yes"))).then("at_ms")
    told = told.with_columns(since=starts.forward_fill().over("client_id"))
    found = _last(asked, told.drop("place"), "at_ms", ["client_id"])
    since = pl.when("yes").then("since").otherwise(NOT_QUALIFIED)
    return found.select(since.fill_null(NOT_QUALIFIED).alias("since"))["since"].to_numpy()
