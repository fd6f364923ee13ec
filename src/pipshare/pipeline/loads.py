"""Reference data, plans and approvals come in; then everything is brought to rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from pipshare import audit, clients, market, partners, plans, rating, trades
from pipshare.errors import BadInput
from pipshare.facts.ecb import is_xml, read_ecb
from pipshare.facts.reading import LoadReport, read_table
from pipshare.facts.values import Refusal
from pipshare.pipeline.book import Booked
from pipshare.pipeline.paying import APPLIERS as PAYMENTS
from pipshare.pipeline.rest import to_rest
from pipshare.pipeline.run import Run
from pipshare.pipeline.said import ibs
from pipshare.pipeline.spared import plan_cause
from pipshare.rating.windows import is_of_clients

Loader = Callable[..., LoadReport]
LOADERS: dict[str, Loader] = {
    "entities": market.load_entities,
    "servers": market.load_servers,
    "groups": market.load_groups,
    "symbols": market.load_symbols,
    "markups": market.load_markups,
    "spreads": market.load_spreads,
    "quotes": market.load_quotes,
    "fx": market.load_fx,
    "partners": partners.load_partners,
    "clients": clients.load_clients,
    "accounts": clients.load_accounts,
    "events": clients.load_events,
    "relations": partners.load_relations,
    "terms": plans.load_terms,
}
# What an approved proposal does, by its kind.
APPLIERS: dict[str, audit.Applier] = {
    "authority": market.apply_authority,
    "go_live": market.apply_go_live,
    "partner_go_live": partners.apply_go_live,
    "relation": partners.apply_relation,
    "account_owner": clients.apply_owner,
    "client_merge": clients.apply_merge,
    "event_authority": clients.apply_authority,
    "jurisdiction": clients.apply_jurisdiction,
    **PAYMENTS,
    **plans.APPLIERS,
}


@dataclass(frozen=True)
class Done:
    """What a load, a plan or an approval came to, and what it let the pipeline take up."""

    reports: list[LoadReport]
    booked: Booked


def load(
    run: Run, kind: str, path: Path, *, by: str, reason: str = "", dry_run: bool = False
) -> Done:
    """Load one file of one kind (see LOADERS) in one transaction, then bring all to rest.

    Good rows are kept, bad ones are refused in the report; a dry run rolls everything back.
    Raises BadInput when the file as a whole cannot be read.
    """
    frame, refused = _read(run, kind, path)
    before = ibs.last_terms(run.conn)
    reports = _load_frame(run, kind, frame, by=by, reason=reason, dry_run=dry_run)
    reports[0].unread(refused)
    if dry_run:
        run.conn.rollback()
        return Done(reports, Booked())
    changed = [report.from_ms for report in reports if report.from_ms is not None]
    if changed:
        if kind == "servers":
            _reclock(run)
        _ask_again(run.conn, f"load {kind}", min(changed))
    elif kind in ("terms", "relations") and any(report.added for report in reports):
        _touch_clients(run.conn)
    if kind in ("relations", "clients"):
        clients.touch_unsaid(run.conn)
    if kind == "terms":
        ibs.say_tiers(run.conn, before)
    run.conn.commit()
    return Done(reports, _rest(run))


def _read(run: Run, kind: str, path: Path) -> tuple[pl.DataFrame, list[Refusal]]:
    if kind == "fx" and path.is_file() and is_xml(data := path.read_bytes()):
        return read_ecb(data, path.name)
    return read_table(path, kind, clock=market.day_clocks(run.conn, kind))


def _load_frame(
    run: Run, kind: str, frame: pl.DataFrame, *, by: str, reason: str, dry_run: bool
) -> list[LoadReport]:
    report = LOADERS[kind](run.conn, frame, by=by, reason=reason, dry_run=dry_run)
    reports = [report]
    # A clients file may name who introduced each client; that relation belongs to partners.
    relations = report.relations
    if relations is not None and len(relations):
        reports.append(
            partners.load_relations(run.conn, relations, by=by, reason=reason, dry_run=dry_run)
        )
    return reports


def apply_plan(run: Run, path: Path, *, by: str) -> tuple[plans.ApplyReport, Booked]:
    """Apply a programme file as a new version, then bring all to rest."""
    report = plans.apply(run.conn, plan_text(path), str(path), by)
    if report.from_ms is not None:
        _ask_again(run.conn, plan_cause(report.code, report.number), report.from_ms)
    run.conn.commit()
    return report, _rest(run)


def plan_text(path: Path) -> str:
    """Return a programme file's text. Raises BadInput for what is no UTF-8 text."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError) as error:
        why = "it is no UTF-8 text: save it as UTF-8" if isinstance(error, UnicodeError) else error
        raise BadInput("unreadable_plan", f"{path} is no programme file: {why}") from error


def approve(run: Run, proposal_id: int, *, by: str) -> tuple[audit.Proposal, Booked]:
    """Apply a proposal as the second person, then bring all to rest.

    Raises Conflict when the same person proposed it or it was decided already.
    """
    proposal = apply_proposal(run.conn, proposal_id, by=by)
    run.conn.commit()
    return proposal, _rest(run)


def apply_proposal(
    conn: psycopg.Connection[Any], proposal_id: int, *, by: str
) -> audit.Proposal:  # fmt: skip
    """Apply a proposal in the caller's transaction; what it changes is then rated again.

    Raises as `approve` does. `pipshare work` brings all to rest, waked by CHANNEL.
    """
    before = ibs.last_terms(conn)
    proposal = audit.approve(conn, proposal_id, by, APPLIERS)
    outcome = proposal.outcome
    from_ms = outcome.from_ms if isinstance(outcome, LoadReport) else outcome
    if from_ms is not None:
        _ask_again(conn, f"proposal {proposal_id}", from_ms)
    ibs.say_tiers(conn, before)
    return proposal


def reject(run: Run, proposal_id: int, *, by: str) -> audit.Proposal:
    """Reject a proposal, or take one's own back; what asked for it learns of it at once.

    Raises Missing, and Conflict when it was decided already.
    """
    proposal = audit.reject(run.conn, proposal_id, by)
    run.conn.commit()
    _rest(run)
    return proposal


def _reclock(run: Run) -> None:
    """A clock put right moves the moments of what is stored; the rest finds nothing to do."""
    for server in market.servers(run.conn):
        trades.reclock(run.conn, server)


def _ask_again(conn: psycopg.Connection[Any], cause: str, from_ms: int) -> None:
    """Ask that all trades closed since `from_ms` be rated again: what holds of them changed."""
    for server in market.servers(conn):
        if server.go_live_ms is not None:
            rating.request(conn, server.id, cause, from_ms=max(from_ms, 0))
    _touch_clients(conn)


def _touch_clients(conn: psycopg.Connection[Any]) -> None:
    """Look again at all clients, where a plan pays for what happens to them, or takes off what they
    cost: trades do not."""
    known = plans.book(conn).versions
    parts = [part for version in known for part in version.programme.components]
    if any(is_of_clients(part) or part.sums_events for part in parts):
        clients.touch_all(conn)


def _rest(run: Run) -> Booked:
    run.current()
    return to_rest(run)
