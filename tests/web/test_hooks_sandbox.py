"""The sandbox CRM at our own doors: whatever goes wrong on the way, the same books come out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from pipshare import db as pg
from pipshare import inbox, ledger, market
from pipshare.crm import preset
from pipshare.errors import PipshareError
from pipshare.pipeline import Run, to_rest
from pipshare.pipeline.crm import pollers
from pipshare.pipeline.crm.polling import poll
from pipshare.pipeline.loads import apply_plan, load
from pipshare.sandbox.crm import PLOTS, Cast, CrmServer, Fault, Options

LOOPBACK = (ip_network("127.0.0.0/8"),)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLAN = """[programme]
code = "per-client"
currency = "USD"
kyc = "hold"

[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
clawback_days = 90
qualify.first_deposit = 200
rate = [{ level = 1, amount = 150 }]
"""
_BOOKED = """
SELECT c.code::int, coalesce(sum(w.amount_e8) FILTER (WHERE a.state = 'held'), 0) / 100000000,
       coalesce(sum(w.amount_e8) FILTER (WHERE a.state <> 'held'), 0) / 100000000
  FROM clients_client c LEFT JOIN rating_window_line w ON w.client_id = c.id
  LEFT JOIN ledger_account a ON a.id = w.account
 WHERE c.code::int BETWEEN %(first)s AND %(first)s + 99 GROUP BY 1 ORDER BY 1
"""
_OUTCOMES = """
SELECT i.outcome, count(*) FROM inbox_payload_item i JOIN inbox_payload p ON p.id = i.payload_id
 WHERE p.at >= %s GROUP BY 1
"""
_VERDICTS = "SELECT verdict, reason, count(*) FROM inbox_payload WHERE at >= %s GROUP BY 1, 2"
TROUBLE = (
    Fault("half", "/api/TransactionInfo", 2), Fault("200-error", "/api/LeadRegistration", 2),
    Fault("500", "/api/TradeInfo"), Fault("garbage", "/api/TransactionInfo"),
    Fault("empty", "/api/TransactionInfo"), Fault("close", "/api/LeadRegistration"),
    Fault("bad-signature", "dispute", 2), Fault("stale", "payment"), Fault("cut", "kyc", 2),
    Fault("duplicate", "dispute", 2), Fault("shuffle", "kyc", 1, "12"),
    Fault("duplicate", "kyc", 5), Fault("duplicate", "trader", 3),
)  # fmt: skip


@dataclass
class Broker:
    """A broker with two endpoints to one CRM; `at` is where his doors are."""

    run: Run
    at: str
    faults: list[str] = field(default_factory=list)

    def meets(self, first: int, faults: tuple[Fault, ...] = (), *, told_first: bool) -> CrmServer:
        """Let a CRM tell its stories of the last sixty days, and settle what came of it.

        With `told_first` nothing is polled before all webhooks were taken.
        """
        cast = Cast(first=first, every_s=0, affiliates=("340",), coins=("USD",), untagged=0)
        options = Options(cast, 0.001, 60, hooks=f"{self.at}/hooks/told", secret=SECRET)
        crm = CrmServer(options=options)
        for fault in faults:
            (crm.courier.faults if fault.sends else crm.faults).add(fault)
        with crm:
            self._point_to(crm.url)
            end = time.monotonic() + 60
            while not self._is_through(crm):
                assert time.monotonic() < end, crm.courier.newest(3, "waiting")
                if not told_first:
                    self._poll()
                time.sleep(0.1)
            self._poll_until_clean()
            to_rest(self.run)
        return crm

    def books(self, first: int) -> dict[str, tuple[int, int]]:
        """Return what is held and earned by plot, in dollars."""
        rows = self.run.conn.execute(_BOOKED, {"first": first}).fetchall()
        self.run.conn.commit()
        plots = list(PLOTS)
        return {plots[code - first]: (int(held), int(earned)) for code, held, earned in rows}

    def _poll_until_clean(self) -> None:
        """Poll until two rounds in a row met no trouble."""
        clean = tries = 0
        while clean < 2:
            before = len(self.faults)
            self._poll()
            clean = clean + 1 if len(self.faults) == before else 0
            tries += 1
            assert tries < 30, self.faults

    def _is_through(self, crm: CrmServer) -> bool:
        counts = crm.courier.counts()
        last = any(one["event"] == "dispute.lost" for one in crm.courier.newest(100))
        assert not counts["given up"], crm.courier.newest(3, "given up")
        return last and not counts["waiting"]

    def _point_to(self, url: str) -> None:
        conn, since = self.run.conn, (datetime.now(UTC) - timedelta(days=70)).date()
        told = {"url": f"{url}/api", "user": "partner", "since": since.isoformat()}
        one = inbox.endpoint(conn, "polled")
        inbox.change_endpoint(conn, one, settings=told, by="anna")
        conn.commit()

    def _poll(self) -> None:
        """Read the whole history again: it grows in the past, behind every mark."""
        conn = self.run.conn
        one = inbox.endpoint(conn, "polled")
        inbox.save_endpoint_cursor(conn, one.id, {})
        conn.commit()
        poller = pollers.make(one, ["Password1"], LOOPBACK)
        try:
            poll(conn, one, poller)
        except PipshareError as error:  # it is asked again
            self.faults.append(error.code)
        conn.rollback()
        poller.close()
        to_rest(self.run)


@pytest.fixture(scope="module")
def broker(
    live_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Broker]:  # fmt: skip
    folder: Path = tmp_path_factory.mktemp("broker")
    with ExitStack() as stack:
        conn = stack.enter_context(pg.connect())
        run = Run(conn)
        tables = {
            "servers": ("server,platform,clock,go_live", "Live-5,mt5,UTC,2020-01-01"),
            "partners": ("partner,name", "IB-340,North"),
            "terms": ("partner,programme", "IB-340,per-client"),
        }
        (folder / "plan.toml").write_text(PLAN)
        for kind, lines in tables.items():
            if kind == "terms":
                apply_plan(run, folder / "plan.toml", by="anna")
            (folder / f"{kind}.csv").write_text("\n".join([*lines, ""]))
            assert not load(run, kind, folder / f"{kind}.csv", by="anna").reports[0].refused
        entity_id = next(iter(market.entities(conn)))
        filled = {"server": "Live-5", "zone": "UTC", "partner prefix": "IB-"}
        for code, kind, name in (("polled", "currentdesk", "currentdesk"),
                                 ("told", "webhook", "sandbox-crm")):  # fmt: skip
            verify = preset(name).verify if kind == "webhook" else []
            one = inbox.add_endpoint(conn, entity_id, code, kind, verify=verify, by="anna")
            inbox.publish_mapping(conn, one, preset(name).mapping_with(filled), by="anna")
            inbox.set_endpoint_secret(conn, one, SECRET, by="anna")
        conn.commit()
        yield Broker(run, live_server.url)


def test_trouble_on_the_way_changes_no_book(broker: Broker) -> None:
    conn = broker.run.conn
    broker.meets(70_001, told_first=False)
    assert broker.faults == []
    calm = broker.books(70_001)
    assert len(calm) == len(PLOTS)
    assert calm["stays"] == calm["verified late"] == calm["dispute won"] == (0, 150)
    assert calm["charged back"] == calm["taken back"] == calm["only looks"] == (0, 0)
    began = datetime.now(UTC)
    crm = broker.meets(70_101, TROUBLE, told_first=True)
    assert not crm.faults.take("/api/"), "all trouble was made"
    assert len(broker.faults) >= 5
    assert broker.books(70_101) == calm
    verdicts = {(row[0], row[1]): row[2] for row in conn.execute(_VERDICTS, (began,))}
    assert verdicts["accepted", ""] > 50, verdicts
    outcomes: dict[str, int] = dict(conn.execute(_OUTCOMES, (began,)).fetchall())
    assert outcomes["new"] > 60, outcomes
    assert not {"problem", "refused"} & set(outcomes), outcomes
    assert ledger.verify(conn)[0] == []
    conn.rollback()
