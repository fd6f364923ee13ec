"""Clients who are one person: their accounts and events count as one client's.

Two clients who never belonged to different partners (or one to a partner and one to nobody, direct)
at one moment are joined at once. Others are not: whose the person is, is shown and put before two
people. What they decided of a word holds for that word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipshare import audit, clients, inbox, partners, rating
from pipshare.clients.identity import (
    FOLLOWED,
    MERGE_KIND,
    OUTDATED,
    PROPOSED,
    REJECTED,
    SAME,
    WAITS,
    IdentityWord,
)
from pipshare.clients.merging import (
    Merge,
    Segments,
    contradiction,
    follow,
    standing,
    without_circles,
)
from pipshare.facts.events import MERGED
from pipshare.period import from_ms
from pipshare.pipeline.identity.proposals import decided, withdraw
from pipshare.pipeline.run import Run

ALERT = "client_merge"
CAUSE = "merged clients"
Records = Mapping[int, Sequence[tuple[int, int, int, int]]]


def settle_merges(run: Run) -> None:
    """Follow the words that hold on merged clients, in the caller's transaction."""
    words = clients.identity_words(run.conn, MERGED)
    before = clients.merged_into(run.conn)
    if not words and not before:
        return
    told = _last_words(run, words)
    merges, circular = without_circles(
        Merge(one.at_ms, one.source, one.event, one.id, one.client_id or 0, one.other_id or 0)
        for one in told.values()
    )
    for merge in circular:
        _note(run, told[merge.event_id], SAME, "a later word says it the other way round")
    records = partners.recorded(run.conn, sorted({n for m in merges for n in (m.client, m.into)}))
    verdicts = {number: decided(run.conn, one.proposal) if one.state != OUTDATED else None
                for number, one in told.items()}  # fmt: skip

    def fits(merge: Merge, mine: tuple[int, ...], theirs: tuple[int, ...]) -> bool:
        verdict = verdicts[merge.event_id]
        if verdict is not None:
            return verdict
        return contradiction(_whose(records, mine), _whose(records, theirs)) is None

    found = follow(merges, fits)
    apart = {merge.event_id for merge, _, _ in found.kept_apart}
    for merge in merges:
        if merge.event_id not in apart:
            one = told[merge.event_id]
            detail = f"accounts and events of {one.client} count as those of {one.other_client}"
            _note(run, one, FOLLOWED, detail, one.proposal if verdicts[one.id] else None)
    for merge, mine, theirs in found.kept_apart:
        clash = contradiction(_whose(records, mine), _whose(records, theirs))
        _keep_apart(run, told[merge.event_id], verdicts[merge.event_id], clash)
    changed = {one: found.into.get(one) for one in {*before, *found.into}
               if before.get(one) != found.into.get(one)}  # fmt: skip
    if changed:
        _follow(run, before, changed)


def _last_words(run: Run, words: Sequence[IdentityWord]) -> dict[int, IdentityWord]:
    """Return by event the merges that hold and name clients who are known; note the others."""
    last = {(one.entity_id, one.client): one for one in words}
    found = {}
    for one in words:
        if last[one.entity_id, one.client] is not one:
            _note(run, one, OUTDATED, "a later word on him holds")
        elif one.kind != MERGED[0]:
            _note(run, one, FOLLOWED, f"{one.client} is a person of his own")
        elif one.client_id is None or one.other_id is None:
            unknown = one.client if one.client_id is None else one.other_client
            _note(run, one, WAITS, f"client {unknown} is not known yet")
        else:
            found[one.id] = one
    return found


def _whose(records: Records, group: Sequence[int]) -> Segments:
    """Return whose clients a group is: what is recorded of who stays, else of the others."""
    stays, *others = group
    told = sorted(record for one in others for record in records.get(one, ()))
    return standing([record[1:] for record in (*told, *records.get(stays, ()))])


def _keep_apart(
    run: Run, one: IdentityWord, verdict: bool | None, clash: tuple[int, int, int] | None
) -> None:
    if verdict is False:
        detail = "two people decided that he stays a client of his own"
        _note(run, one, REJECTED, detail, one.proposal)
        return
    codes = {0: "nobody (direct)", **dict(zip(run.partners.ids.tolist(), run.partners.codes,
                                              strict=True))}  # fmt: skip
    moment, his, others = clash or (0, 0, 0)
    since = f" on {from_ms(moment):%Y-%m-%d}" if moment else ""
    detail = (
        f"{one.client} belongs to {codes[his]} and {one.other_client} to {codes[others]}{since}:"
        " nothing is joined until two people decide"
    )
    proposal = one.proposal if one.state == PROPOSED else None
    if proposal is None:
        payload = {"entity": one.entity, "client": one.client, "into": one.other_client,
                   "event_id": one.id, "source": one.source, "event": one.event,
                   "was": codes[his], "becomes": codes[others]}  # fmt: skip
        subject = (
            f"client {one.client} ({codes[his]}) is {one.other_client} ({codes[others]}): his"
            f" accounts and events become {codes[others]}'s"
        )
        proposal = audit.propose(run.conn, MERGE_KIND, subject, payload, one.why, one.source)
    if _note(run, one, PROPOSED, detail, proposal):
        inbox.raise_alert(run.conn, ALERT, _subject(one), (
            f"{one.source} tells (event {one.event}) that client {one.client} is the same person as"
            f" {one.other_client}; {detail}: `pipshare approve {proposal} --by NAME` joins them,"
            f" `pipshare reject {proposal} --by NAME` keeps them apart"
        ))  # fmt: skip


def _note(
    run: Run, one: IdentityWord, state: str, detail: str, proposal: int | None = None
) -> bool:
    """Note what became of a word; what was proposed and is not any more is withdrawn."""
    if one.state == PROPOSED and proposal != one.proposal:
        withdraw(run.conn, one.proposal)
    news = clients.note_word(run.conn, one, state, detail, proposal)
    if news and one.state == PROPOSED and state != PROPOSED:
        inbox.resolve_alert(run.conn, ALERT, _subject(one))
    return news


def _subject(one: IdentityWord) -> str:
    return f"{one.entity}/{one.client}"


def _follow(run: Run, before: Mapping[int, int], changed: Mapping[int, int | None]) -> None:
    """Record whom clients end up as, and ask that all of theirs be looked at again."""
    who = sorted({*changed, *(before[one] for one in changed if one in before),
                  *(one for one in changed.values() if one is not None)})  # fmt: skip
    clients.write_merges(run.conn, changed, CAUSE)
    clients.settle_takings(run.conn, who)
    clients.touch(run.conn, who)
    for server_id, logins in clients.logins_of(run.conn, who).items():
        if run.servers[server_id].go_live_ms is not None:
            rating.request(run.conn, server_id, CAUSE, logins=logins)
