"""Goal 9: postbacks in beside the same server's empty response.

As with clicks: `pipshare serve` as shipped, the load in its own process, each answer durable.
Half of the postbacks are registrations that name a click, half deposits; each is another one.
Afterwards every answered id is looked for in the log.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import http_load
from benchmarks.clicks import CONNECTIONS, EMPTY, environment, request, serving
from benchmarks.racing import Race, Result, beside, race
from pipshare import db, inbox, partners
from pipshare.db import cluster, embedded
from pipshare.facts.clicks import RANDOM_BYTES, Click, click_id
from pipshare.facts.reading import read_table

POSTBACK = "postback in, durable"
CLICKS = 500
A_SECOND = 4_000  # postbacks prepared for each second of a load: more than come through
_HEADERS = "Host: 127.0.0.1\r\nUser-Agent: broker-site/1.0\r\nAccept: */*\r\n\r\n"
_CLICKED_MS = 1_772_000_000_000
_STORED = "SELECT count(*) FROM inbox_postback WHERE id = ANY(%s) AND verdict = 'accepted'"


def measure(rounds: int, seconds: float, say: Callable[[str], None]) -> tuple[list[Result], Race]:
    """Race postbacks and empty response."""
    with set_up() as (port, token, clicks):
        ids: list[str] = []
        loads = iter(range(1_000))

        def postbacks() -> float:
            asks = calls(token, clicks, next(loads), int(seconds * A_SECOND))
            told = http_load.run(http_load.Load(port, asks, CONNECTIONS, seconds, mark='"id": "'))
            assert told.statuses.keys() == {"200"}, told.statuses
            ids.extend(told.ids)
            return told.rate

        def empty() -> float:
            told = http_load.run(http_load.Load(port, [request("/empty")], CONNECTIONS, seconds))
            return told.rate

        postbacks(), empty()  # the first ones of a process import and connect
        run = race({POSTBACK: postbacks, EMPTY: empty}, rounds, say)
        hold(ids)
        say(f"  all {len(ids):,} answered postbacks are stored and accepted")
    limit = "only the empty one passes pages' middleware; a postback is read, judged, stored"
    return [beside(run, 9, POSTBACK, EMPTY, 0.4, unit="answers/s", limit=limit)], run


@contextmanager
def set_up() -> Iterator[tuple[int, str, list[str]]]:
    """Serve a broker with a partner and clicks; yield the port, a tracker's token, click ids."""
    with tempfile.TemporaryDirectory(prefix="pipshare-postbacks-") as name:
        server = embedded.attach(Path(name) / "database")
        try:
            target = db.Target(*(server.conninfo(role, "pipshare")
                                 for role in (cluster.APP, cluster.OWNER)))  # fmt: skip
            with db.use(target):
                db.migrate()
                token, clicks = prepared()
                with serving(environment(target) | {"PIPSHARE_DATA": name}) as port:
                    yield port, token, clicks
        finally:
            embedded.destroy(Path(name) / "database")


def prepared() -> tuple[str, list[str]]:
    """Make a partner, his clicks and a tracker; return the token and the clicks' ids."""
    with db.connect() as conn:
        frame, _ = read_table(b"partner\nP-1\n", "partners")
        partners.load_partners(conn, frame)
        partners.add_landing(conn, 1, "home", "https://broker.example/", by="benchmark")
        one = partners.partner(conn, "P-1")
        link = partners.add_link(conn, one, by="benchmark")
        ids = [click_id(_CLICKED_MS + n, os.urandom(RANDOM_BYTES)) for n in range(CLICKS)]
        inbox.store_clicks(conn, [Click(id_, link.id, one.id) for id_ in ids])
        token, _ = inbox.add_tracker(conn, 1, "site", money=["deposit"], by="benchmark")
    return token, ids


def calls(token: str, clicks: list[str], load: int, count: int) -> list[str]:
    """Return requests of a load, registrations and deposits by turns, no two the same."""
    asks = []
    for n in range(count):
        client = f"C-{load}-{n // 2}"
        if n % 2:
            query = f"deposit?token={token}&txid=D-{load}-{n}&client={client}&amount=250.00"
            query += "&currency=USD&method=card&at=2026-03-02T10%3A00%3A00Z"
        else:
            query = f"registration?token={token}&client={client}&click_id={clicks[n % len(clicks)]}"
            query += "&country=CY&at=2026-03-02T10%3A00%3A00Z"
        asks.append(f"GET /s2s/{query} HTTP/1.1\r\n{_HEADERS}")
    return asks


def hold(ids: list[str]) -> None:
    """Raise unless every answered postback is stored, once, and was accepted."""
    assert len(set(ids)) == len(ids) > 0
    with db.connect() as conn:
        found = 0
        for at in range(0, len(ids), 10_000):
            row = conn.execute(_STORED, (ids[at : at + 10_000],)).fetchone()
            found += row[0] if row else 0
    assert found == len(ids), f"{len(ids) - found} answered postbacks are not stored"
