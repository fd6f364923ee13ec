"""From a postback to what a partner earns, and what happens at the same time in two processes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import pytest
from s2s_broker import DAY, NOW, Site
from small_broker import SmallBroker, manager, manager_row

from pipshare import db as pg
from pipshare import inbox, partners
from pipshare.pipeline import Run
from pipshare.pipeline.postbacks import Sent, take_postbacks
from pipshare.pipeline.rest import to_rest
from pipshare.pipeline.work.resting import bring_to_rest
from pipshare.tracking.postback_fields import read_request


@pytest.fixture
def site(ready: Any) -> Any:
    return ready(Site)


def test_a_trade_that_waited_for_its_client_s_partner_is_paid(ready: Any) -> None:
    broker = ready(SmallBroker)
    broker.load("clients", "client\nC-7\n")
    broker.load("accounts", "server,login,client\nLive-4,1007,C-7\n")
    broker.bring("a.csv", manager(manager_row(1, "0.10", Login="1007")))
    assert broker.waiting() == {"no_relation": 1}
    token, _ = inbox.add_tracker(broker.conn, 1, "site", by="anna")
    query = f"token={token}&client=C-7&partner=p-2&at=2026-02-01T00:00:00Z"
    sent = Sent("registration", read_request(query.encode(), None, ""), "", NOW)
    assert take_postbacks(broker.conn, [sent])[0].verdict == "accepted"
    broker.conn.commit()
    to_rest(broker.run)
    broker.assert_paid(10)
    assert broker.waiting() == {}


def test_what_waits_is_taken_up_after_a_load_of_clients(site: Site) -> None:
    site.post("deposit", txid="1", client="C-5", amount="5", currency="USD")
    site.settle()
    assert [one.txid for one in inbox.postbacks(site.conn, waits=True)] == ["1"]
    assert not inbox.any_postback_fresh(site.conn)
    site.load("clients", "client,partner\nC-5,P-1\n")
    assert inbox.postbacks(site.conn, waits=True) == []
    assert [one[1] for one in site.events()] == ["deposit:1"]


def test_the_worker_settles_within_seconds(site: Site) -> None:
    halt = threading.Event()
    worker = threading.Thread(target=bring_to_rest, args=(halt,))
    worker.start()
    try:
        time.sleep(1.5)  # at rest
        site.post("registration", client="C-1", click_id=site.click("P-2"))
        end = time.monotonic() + 30
        while not site.whose() and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        halt.set()
        worker.join()
    assert site.whose() == {"C-1": "P-2"}


def test_two_processes_accept_one_identity_once(site: Site) -> None:
    """Six batches have the same eight deposits: one waits for the other, and says duplicate."""
    sent = [site.sent("deposit", txid=str(n), client="C-1", amount="5", currency="USD")
            for n in range(8)]  # fmt: skip
    gate = threading.Barrier(6)

    def take(number: int) -> list[str]:
        with pg.connect(autocommit=number % 2 == 0) as conn:
            gate.wait()
            mine = sent if number % 3 else sent[::-1]
            try:
                answers = take_postbacks(conn, mine)
            finally:
                conn.commit()
        return [one.verdict for one in answers]

    with ThreadPoolExecutor(6) as pool:
        verdicts = [one for found in pool.map(take, range(6)) for one in found]
    assert sorted(verdicts) == ["accepted"] * 8 + ["duplicate"] * 40
    assert len(inbox.postbacks(site.conn, verdict="accepted")) == 8
    assert len(inbox.postbacks(site.conn)) == 48


def test_two_settle_at_once_and_each_client_has_one_partner(site: Site) -> None:
    for n in range(40):
        click = site.click("P-2" if n % 2 else "P-3")
        site.post("registration", client=f"C-{n % 20}", click_id=click, txid=str(n),
                  at=NOW - DAY + n)  # fmt: skip
    runs = [pg.connect() for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda conn: to_rest(Run(conn)), runs))
    for conn in runs:
        conn.close()
    assert len(site.whose()) == 20
    assert len(site.events()) == 40


def test_a_partner_loaded_at_the_very_moment_stands(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at relations and their writing a load says otherwise: it stands."""
    site.post("registration", client="C-1", click_id=site.click("P-2"))
    loaded = partners.load_relations

    def between(conn: Any, frame: Any, **options: Any) -> Any:
        monkeypatch.setattr(partners, "load_relations", loaded)
        other = frame.with_columns(partner=pl.lit("P-3"))
        assert loaded(conn, other, by="bob").added == 1
        return loaded(conn, frame, **options)

    monkeypatch.setattr(partners, "load_relations", between)
    site.settle()
    assert site.whose() == {"C-1": "P-3"}
    assert site.outcome(client="C-1") == ("kept", "client_of_another_partner")
