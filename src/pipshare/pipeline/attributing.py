"""Decide what was told of whose clients people are, write the relations, and keep every claim.

One way in for postbacks and for CRMs; the rule itself is attribution/claims.py. Runs in the
caller's transaction, one at a time (the turn that taking from either queue takes).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import psycopg

from pipshare import attribution, clients, inbox, partners
from pipshare.attribution.claims import REASONS, Claim, Decision, Judged
from pipshare.attribution.claims_store import Settled
from pipshare.pipeline.claims_made import Made, Telling, claims_of

Outcome = tuple[str, str, str]  # outcome, reason, detail
Who = tuple[str, str]  # who said so, and under which id
# What may be judged otherwise when it is told again: somebody stands behind it by now.
NOBODY_YET = ("unknown_partner", "unknown_click")


def attribute(
    conn: psycopg.Connection[Any], told: Sequence[Telling], registered: Mapping[int, int],
    again: Collection[Who] = (),
) -> dict[Who, list[Outcome]]:  # fmt: skip
    """Settle claims on known clients; return what became of each telling's, by source and id.

    `registered`: when clients registered (UTC ms), where that is known; else the earliest telling
    stands for it. What the same source told before under the same id is not decided again; of what
    is in `again` it is said once more that nobody stands behind it yet, so that it goes on waiting.
    """
    said: dict[Who, list[Outcome]] = defaultdict(list)
    told = [one for one in told if one.claims_anything]
    moments: dict[int, int] = {}
    for one in told:
        moments[one.client_id] = min(moments.get(one.client_id, one.happened_ms), one.happened_ms)
    moments.update({who: at for who, at in registered.items() if who in moments})
    made = claims_of(conn, told, moments)
    if not made.claims:
        return said
    codes = {one.client_id: (one.client, one.entity) for one in told}
    known = attribution.claims_before(conn, sorted(made.claims))
    cases = attribution.cases(conn, {who: moments[who] for who in made.claims}, made.partners())
    settled: list[Settled] = []
    for number, found in made.claims.items():
        fresh = [claim for claim in found
                 if known.get(attribution.told_before(number, claim), NOBODY_YET[0])
                 in NOBODY_YET]  # fmt: skip
        case = cases[number]
        judged = attribution.decide(case, fresh, made.rules[case.entity_id])
        settled += [
            Settled(number, moments[number], one, _words(one, made))
            for one in judged
            if (not one.claim.is_visitors or one.decision is Decision.ATTRIBUTED)
            and known.get(attribution.told_before(number, one.claim)) != one.reason
        ]
        for still in judged:
            teller = still.claim.told_by, still.claim.told_id
            before = known.get(attribution.told_before(number, still.claim))
            if teller in again and before == still.reason:
                words = _said(still.claim, _words(still, made))
                said[teller].append((still.decision.value, still.reason, words))
    settled = _related(conn, codes, settled, made)
    attribution.store_claims(conn, settled)
    for each in settled:
        claim = each.judged.claim
        said[claim.told_by, claim.told_id].append(
            (each.judged.decision.value, each.judged.reason, _said(claim, each.detail))
        )
        if each.judged.reason == "own_client":
            _flag(conn, codes[each.client][0], each, made)
        elif each.judged.reason == "client_of_another_partner" and claim.first_hand:
            _contradiction(conn, codes[each.client][0], each, made, cases[each.client].in_force)
    return said


def _related(
    conn: psycopg.Connection[Any], codes: Mapping[int, tuple[str, str]],
    settled: list[Settled], made: Made,
) -> list[Settled]:  # fmt: skip
    """Write the relations that won; what somebody else wrote at this very moment stands."""
    won = [one for one in settled if one.judged.decision is Decision.ATTRIBUTED]
    if not won:
        return settled
    rows = [
        {"client": codes[one.client][0], "entity": codes[one.client][1],
         "partner": made.codes[one.judged.claim.partner or 0], "valid_from": one.registered_ms,
         "line": line}
        for line, one in enumerate(won, 1)
    ]  # fmt: skip
    types = {"valid_from": pl.Int64, "line": pl.Int32}
    lost: set[int] = set()
    for source in sorted({one.judged.claim.told_by for one in won}):
        mine = [row for row, one in zip(rows, won, strict=True)
                if one.judged.claim.told_by == source]  # fmt: skip
        frame = pl.DataFrame(mine, schema_overrides=types)
        report = partners.load_relations(conn, frame, by=source)
        lost |= {one.line for one in report.refused}
    clients.touch(conn, [one.client for line, one in enumerate(won, 1) if line not in lost])
    gone = [won[line - 1] for line in lost]
    return [
        one if one not in gone else replace(
            one, judged=replace(one.judged, decision=Decision.KEPT,
                                reason="client_of_another_partner"),
            detail=REASONS["client_of_another_partner"],
        )
        for one in settled
    ]  # fmt: skip


def _said(claim: Claim, became: str) -> str:
    return f"{claim.via.replace('_', ' ')} {claim.evidence}: {became}"


def _words(one: Judged, made: Made) -> str:
    """Write what became of a claim as a sentence."""
    partner = made.codes.get(one.claim.partner or 0, "")
    if one.reason == "attributed":
        return f"the client is {partner}'s from his registration on"
    if one.over is not None:
        over = made.codes.get(one.over.partner or 0, "")
        return f"{REASONS[one.reason]} ({one.over.via} {one.over.evidence} of {over})"
    return REASONS[one.reason]


def _contradiction(
    conn: psycopg.Connection[Any], code: str, one: Settled, made: Made, holds: int | None
) -> None:
    """Say that a registration names another partner than the one whose client he is already.

    Two doors may tell one registration, and disagree: nothing is guessed, nobody is moved.
    """
    claim = one.judged.claim
    partner = made.codes.get(claim.partner or 0, "")
    row = conn.execute("SELECT code FROM partners_partner WHERE id = %s", (holds,)).fetchone()
    whose = row[0] if row else "another partner"
    inbox.raise_alert(conn, "other_partner", code, (
        f"client {code} is {whose}'s, and {claim.told_by} says of his registration that he is"
        f" {partner}'s by {claim.via.replace('_', ' ')} {claim.evidence}: nothing was changed;"
        f" `pipshare explain --client {code}` shows all that was claimed, and a re-assignment needs"
        " two people"
    ))  # fmt: skip


def _flag(conn: psycopg.Connection[Any], code: str, one: Settled, made: Made) -> None:
    partner = made.codes.get(one.judged.claim.partner or 0, "")
    inbox.raise_alert(conn, "self_referral", code, (
        f"client {code} is partner {partner} himself, and registered by his own"
        f" {one.judged.claim.via.replace('_', ' ')} {one.judged.claim.evidence}: nothing was"
        " attributed; `pipshare load relations` says whose client he is, if anybody's"
    ))  # fmt: skip
