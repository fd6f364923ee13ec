"""The sandbox CRM in the demonstration: a CPA is taken back, and one that was held is released."""

from __future__ import annotations

import time
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from broker_world import World

from pipshare import inbox, sandbox, settings
from pipshare.cli import demo_crm
from pipshare.cli.demo_children import Told
from pipshare.inbox import NewPayload
from pipshare.pipeline.crm import pollers
from pipshare.pipeline.crm.polling import poll
from pipshare.pipeline.rest import to_rest
from pipshare.sandbox.crm import Cast, CrmServer, Options, Partner

LOOPBACK = (ip_network("127.0.0.0/8"),)
FIRST = 70_001


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    told = replace(settings.ENV, data=tmp_path, egress_allow=LOOPBACK)
    monkeypatch.setattr(settings, "ENV", told)
    return tmp_path / "demo"


class _Children:
    """Starts the CRM in this process, with days so short that all stories are over at once."""

    def __init__(self) -> None:
        self.options: dict[str, str] = {}
        self.server = CrmServer()

    def crm(self, options: list[str]) -> Any:
        told = self.options = dict(zip(options[::2], options[1::2], strict=True))
        cast = Cast(first=int(told["--first"]), at_once=int(told["--at-once"]), every_s=0,
                    affiliates=("340",), coins=("USD",), untagged=0)  # fmt: skip
        partner = Partner(told["--user"], told["--password"])
        self.server = CrmServer(options=Options(cast, 0.001, partner=partner)).start()
        return Told({"url": self.server.url})

    def begin(self, crm: demo_crm.Crm) -> None:
        """Let the first clients come, and wait for the last that happens to them."""
        before = len(self.sent("dispute.lost"))
        crm.begin("http://127.0.0.1:1")  # nobody is there
        end = time.monotonic() + 10
        while len(self.sent("dispute.lost")) == before:
            assert time.monotonic() < end
            time.sleep(0.02)

    def sent(self, *events: str) -> list[dict[str, Any]]:
        """Return the webhooks of these events, the newest first."""
        found = self.server.courier.newest(1_000)
        return [hook for hook in found if hook["event"].startswith(events)]

    def tell(self, world: World, *events: str) -> None:
        """Store the webhooks of these events as the door would, the newest first; settle."""
        conn, now = world.run.conn, time.time_ns() // 1_000_000
        one = inbox.endpoint(conn, demo_crm.TOLD)
        kind = "application/json"
        stored = [NewPayload(one.id, now, hook["body"].encode(), kind, hook["id"])
                  for hook in self.sent(*events)]  # fmt: skip
        assert stored
        inbox.store_payloads(conn, stored)
        conn.commit()
        to_rest(world.run)


def _polled(world: World) -> None:
    conn = world.run.conn
    one = inbox.endpoint(conn, demo_crm.POLLED)
    poll(conn, one, pollers.make(one, inbox.endpoint_secrets(conn, one.id), LOOPBACK))
    to_rest(world.run)


def _north(world: World, first: int = FIRST) -> list[tuple[int, int]]:
    """Return what is held and earned for each client, in dollars."""
    query = """
        SELECT c.code, coalesce(sum(w.amount_e8) FILTER (WHERE a.state = 'held'), 0) / 100000000,
               coalesce(sum(w.amount_e8) FILTER (WHERE a.state <> 'held'), 0) / 100000000
          FROM clients_client c LEFT JOIN rating_window_line w ON w.client_id = c.id
          LEFT JOIN ledger_account a ON a.id = w.account
         WHERE c.code ~ '^7[0-9]{4}$' AND c.code::int >= %s GROUP BY 1 ORDER BY 1"""
    rows = world.run.conn.execute(query, (first,)).fetchall()
    world.run.conn.commit()
    return [(int(held), int(earned)) for _, held, earned in rows]


def _shown(crm: demo_crm.Crm, world: World) -> dict[str, list[str]]:
    """Return the demonstration's table: held, earned and taken back by client."""
    columns = [list(column.cells) for column in crm.clients(world.run.conn).columns]
    return {str(code): [str(one) for one in rest] for code, _, *rest in zip(*columns, strict=True)}


def test_what_the_crm_tells_is_held_released_and_taken_back(world: World, folder: Path) -> None:
    world.load_all()
    world.import_all()
    expected = {code: sum_ for code, sum_ in sandbox.expected_totals(world.broker).items() if sum_}
    run, children = world.run, _Children()
    for _ in range(2):
        demo_crm.prepare(run, "Demo-MT5")
    crm = demo_crm.start(run, children, 0, once=True)  # type: ignore[arg-type]
    try:
        assert crm.first == FIRST
        children.begin(crm)
        _polled(world)
        assert _north(world) == [(150, 0)] * 6, "nobody is verified yet"
        assert not crm.is_through(run.conn)
        children.tell(world, "kyc")
        assert _north(world) == [(0, 150)] * 6
        children.tell(world, "payment", "dispute")
        _polled(world)
        children.tell(world, "payment", "dispute", "kyc")
        assert _north(world) == [(0, 150), (0, 0), (0, 150), (0, 0), (0, 150), (0, 150)]
        assert crm.is_through(run.conn)
        (lost,) = [hook for hook in children.sent("dispute.lost") if "70002" in hook["body"]]
        assert lost["id"] == demo_crm.LOST
        assert _shown(crm, world) == {
            "70001": ["", "150.00 USD", ""], "70002": ["", "", "150.00 USD"],
            "70003": ["", "150.00 USD", ""], "70004": ["", "", "150.00 USD"],
            "70005": ["", "150.00 USD", ""], "70006": ["", "150.00 USD", ""],
        }  # fmt: skip
        assert {**world.totals(), "IB-340": 0} == {**expected, "IB-340": 0}
        world.assert_whole()
        children.server.stop()

        again = demo_crm.start(run, children, 0, once=False)  # type: ignore[arg-type]
        assert again.first == FIRST + len(demo_crm.FIRST)
        children.begin(again)
        _polled(world)
        assert _north(world, again.first) == [(150, 0)] * 6
    finally:
        children.server.stop()
