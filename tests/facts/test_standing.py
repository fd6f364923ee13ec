"""What events say of a moment, in columns, held to a plain reading of one client at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipshare.facts.events import EVENT, KYC
from pipshare.facts.standing import (
    APPROVED,
    EXPIRED,
    NO_SNAPSHOT,
    NOT_QUALIFIED,
    UNKNOWN,
    lands_of,
    snapshots_at,
    standing_at,
)

_NAMES = (*KYC, "registration", "qualified", "unqualified", "account_snapshot", "deposit")
_PLAIN = {name: 0 if type_ in (pl.Int64, pl.Int32) else "" for name, type_ in EVENT.items()}
_EVENTS = st.lists(
    st.fixed_dictionaries({
        "kind": st.sampled_from(_NAMES), "client_id": st.integers(1, 3), "at_ms": st.integers(1, 9),
        "country": st.sampled_from(["", "CY", "DE"]), "expires_ms": st.integers(0, 9),
        "server": st.sampled_from(["A", "B"]), "login": st.integers(1, 2),
        "equity_e8": st.integers(-5, 5), "credit_e8": st.integers(0, 5),
        "balance_e8": st.integers(0, 5),
    }), max_size=12,
)  # fmt: skip
_ASKED = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 10)), max_size=8)


def frame(events: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{**_PLAIN, **one} for one in events],
                        schema={**EVENT, "client_id": pl.Int64})  # fmt: skip


def last(events: list[dict[str, Any]], kinds: tuple[str, ...], moment: int) -> Any:
    """Return the last event of a kind at or before a moment; of one moment the later told."""
    told = [(one["at_ms"], n, one) for n, one in enumerate(events)
            if one["kind"] in kinds and one["at_ms"] <= moment]  # fmt: skip
    return max(told, key=lambda row: row[:2])[2] if told else None


def plain(events: list[dict[str, Any]], client: int, moment: int) -> tuple[Any, ...]:
    mine = [one for one in events if one["client_id"] == client]
    registered = min((e["at_ms"] for e in mine if e["kind"] == "registration"), default=0)
    kyc, since = UNKNOWN, 0
    if said := last(mine, KYC, moment):
        kyc, since = KYC.index(said["kind"]) + 1, said["at_ms"]
        if kyc == APPROVED and 0 < said["expires_ms"] <= moment:
            kyc, since = EXPIRED, said["expires_ms"]
    told = [one for one in mine if one["kind"] == "registration" and one["country"]]
    held = last(told, ("registration",), moment) or min(
        told, key=lambda one: one["at_ms"], default=None
    )
    words = sorted((e for e in mine if e["kind"].endswith("qualified")), key=lambda e: e["at_ms"])
    qualified = NOT_QUALIFIED
    for one in words:
        if one["at_ms"] > moment:
            break
        if one["kind"] == "unqualified":
            qualified = NOT_QUALIFIED
        elif qualified == NOT_QUALIFIED:
            qualified = one["at_ms"]
    return registered, kyc, since, held["country"] if held else "", qualified


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_EVENTS, _ASKED)
def test_standing_is_the_plain_reading(events, asked):
    client, moment = (np.array([one[n] for one in asked], np.int64) for n in (0, 1))
    found = standing_at(frame(events), client, moment)
    rows = zip(found.registered_ms.tolist(), found.kyc.tolist(), found.kyc_ms.tolist(),
               found.country.to_list(), found.qualified_ms.tolist(), strict=True)  # fmt: skip
    assert list(rows) == [plain(events, *one) for one in asked]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_EVENTS, st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 3), st.integers(1, 10)),
                         max_size=8))  # fmt: skip
def test_a_snapshot_is_the_last_before_the_moment(events, asked):
    server = pl.Series([one[0] for one in asked], dtype=pl.String)
    login, moment = (np.array([one[n] for one in asked], np.int64) for n in (1, 2))
    found = snapshots_at(frame(events), server, login, moment)
    for n, (code, number, at) in enumerate(asked):
        mine = [e for e in events if (e["server"], e["login"]) == (code, number)]
        held = last(mine, ("account_snapshot",), at - 1)
        told = (found.balance_e8[n], found.credit_e8[n], found.equity_e8[n], found.age_ms[n])
        if held is None:
            assert told == (0, 0, 0, NO_SNAPSHOT)
        else:
            names = ("balance_e8", "credit_e8", "equity_e8")
            assert told == (*(held[name] for name in names), at - held["at_ms"])


_LOADED = st.lists(
    st.fixed_dictionaries({
        "client_id": st.integers(1, 3), "from_ms": st.integers(0, 9),
        "country": st.sampled_from(["", "FR", "IR"]),
    }), max_size=4,
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_EVENTS, _LOADED, _ASKED)
def test_lands_one_by_one_are_those_of_the_columns(events, loaded, asked):
    told = frame(events)
    countries = pl.DataFrame(
        loaded, schema={"client_id": pl.Int64, "from_ms": pl.Int64, "country": pl.String}
    )
    who = np.array([client for client, _ in asked], np.int64)
    moments = np.array([moment for _, moment in asked], np.int64)
    found = standing_at(told, who, moments, countries)
    columns = zip(found.country.fill_null(""), found.document.fill_null(""), strict=True)
    lands = lands_of(told, countries)
    assert [lands(client, moment) for client, moment in asked] == list(columns)


def test_a_loaded_country_goes_before_that_of_the_registration():
    events = frame([{"kind": "registration", "client_id": 1, "at_ms": 5, "country": "CY"}])
    loaded = pl.DataFrame({"client_id": [1], "from_ms": [5], "country": ["DE"]})
    one, five = np.array([1]), np.array([5])
    assert standing_at(events, one, five, loaded).country.to_list() == ["DE"]
    assert standing_at(events, one, five).country.to_list() == ["CY"]
