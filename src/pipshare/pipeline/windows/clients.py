"""What became known of clients: their trades are rated again, what they themselves pay is due."""

from __future__ import annotations

from pipshare import clients, partners, rating
from pipshare.period import FOREVER_MS
from pipshare.pipeline.enrich import asked
from pipshare.pipeline.run import Run
from pipshare.pipeline.said import settle_milestones
from pipshare.pipeline.windows.work import looks_at_clients
from pipshare.rating.window_store import Due, mark_due
from pipshare.rating.windows import is_of_clients

AT_ONCE = 1_000  # clients taken up in one transaction


def take_up_clients(run: Run) -> bool:
    """Take up some clients of whom events told something new; tell whether there were any.

    Commits. Their trades are rated again where a plan asks about clients (qualified, KYC, country),
    what plans pay for clients, or net with that, is noted as due, and what they reached is said.
    """
    run.current()
    touched = clients.claim_touched(run.conn, AT_ONCE)
    if touched:
        wanted = asked(run.book)
        asks = wanted.lives or wanted.countries or wanted.snapshots or wanted.negative
        _rate_again(run, [client for client, entity_id, _ in touched
                          if asks or run.blocks(entity_id) is not None])  # fmt: skip
        _note(run, touched)
        settle_milestones(run, [client for client, _, _ in touched])
    run.conn.commit()
    return bool(touched)


def _rate_again(run: Run, who: list[int]) -> None:
    if not who:
        return
    for server_id, logins in clients.logins_of(run.conn, who).items():
        if run.servers[server_id].go_live_ms is not None:
            rating.request(run.conn, server_id, "events of clients", logins=logins)


def _note(run: Run, touched: list[tuple[int, int, str]]) -> None:
    """Note the components that pay for clients, and those that have to earn such a pay back."""
    ids = {one.code: number for number, one in run.entities.items()}
    who = [client for client, _, _ in touched]
    trees: dict[int, set[int]] = {
        client: {run.shard(partner) for partner in found}
        for client, found in partners.introducers(run.conn, who).items()
    }
    due: dict[int, list[Due]] = {}
    for version in run.book.versions:
        entity_id = ids[version.programme.entity]
        mine = [(client, code) for client, entity, code in touched if entity == entity_id]
        for component, number in zip(
            version.programme.components, version.component_ids, strict=True
        ):
            for client, code in mine:
                causes = {"because": [f"events of client {code}"]}
                if is_of_clients(component):
                    due.setdefault(entity_id, []).append(
                        Due(number, 0, 0, FOREVER_MS, client, causes)
                    )
                elif component.builds_up and looks_at_clients(version.programme, component):
                    due.setdefault(entity_id, []).extend(
                        Due(number, shard, 0, FOREVER_MS, 0, causes)
                        for shard in sorted(trees.get(client, ()))
                    )
    for entity_id, windows in due.items():
        distinct = {(one.component, one.shard, one.client_id): one for one in windows}
        mark_due(run.conn, entity_id, distinct.values())
