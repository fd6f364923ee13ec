"""Polling on a database: pages stored once with their watermark, faults noted, one at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.crm_contract import fake_systems as fakes
from tests.crm_contract.fake_systems import KEY

from pipshare import inbox
from pipshare.crm.polled import Page
from pipshare.errors import PipshareError, Unavailable
from pipshare.inbox import Endpoint
from pipshare.period import to_ms

NOW_MS = to_ms(datetime.fromisoformat("2026-03-20T12:00:00+00:00"))
ROUND_S = 0.25  # what a setting of one second comes to here
_PAYLOADS = "SELECT count(*) FROM inbox_payload WHERE endpoint_id = %s"


class Told:
    """A poller that yields what it is told to."""

    poll_s = 60.0

    def __init__(self, *pages: Page | PipshareError) -> None:
        self.pages, self.got, self.conn = pages, {}, None

    def fetch(self, cursor: Mapping[str, Any], now_ms: int) -> Iterator[Page]:
        self.got = dict(cursor)
        for page in self.pages:
            if self.conn is not None:  # nothing is open while somebody is asked
                assert self.conn.info.transaction_status.name == "IDLE"
            if isinstance(page, PipshareError):
                raise page
            yield page

    def close(self) -> None:
        pass


@pytest.fixture
def conn(db: Any) -> Iterator[Any]:
    with db.app() as made:
        yield made


def _endpoint(conn: Any, kind: str = "b2core", **settings: Any) -> Endpoint:
    made = inbox.add_endpoint(conn, 1, "crm-1", kind, settings=settings, by="anna")
    inbox.set_endpoint_secret(conn, made, KEY, by="anna")
    conn.commit()
    return made


def _poll(conn: Any, endpoint: Endpoint, *pages: Page | PipshareError, at_ms: int = NOW_MS) -> Any:
    from pipshare.pipeline.crm.polling import poll

    told = Told(*pages)
    told.conn = conn
    return poll(conn, endpoint, told, now_ms=at_ms)


def _page(body: bytes, day: int = 1, place: str = "list/0") -> Page:
    return Page(place, body, {"list": day}, False)


def _count(conn: Any, endpoint: Endpoint) -> int:
    found = conn.execute(_PAYLOADS, (endpoint.id,)).fetchone()[0]
    conn.commit()
    return int(found)


def test_a_page_is_stored_once_with_its_watermark(conn: Any) -> None:
    endpoint = _endpoint(conn)
    assert _poll(conn, endpoint, _page(b"[1]", 1), _page(b"[2]", 2, "list/1")).stored == 2
    assert inbox.endpoint_cursor(conn, endpoint.id)["list"] == 2
    assert inbox.any_payload_due(conn)
    assert _poll(conn, endpoint, _page(b"[1]", 2), _page(b"[2]", 3, "list/1")).stored == 0
    assert inbox.endpoint_cursor(conn, endpoint.id)["list"] == 3
    assert _count(conn, endpoint) == 2


def test_what_is_told_again_after_something_else_is_news(conn: Any) -> None:
    endpoint = _endpoint(conn)
    for number, body in enumerate((b"[500]", b"[550]", b"[500]")):
        assert _poll(conn, endpoint, _page(body), at_ms=NOW_MS + number).stored == 1
    assert _count(conn, endpoint) == 3


def test_what_is_no_longer_remembered_is_known_by_its_place(
    conn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipshare.pipeline.crm import polling

    monkeypatch.setattr(polling, "HOT", 2)
    endpoint = _endpoint(conn)
    pages = [_page(b"[%d]" % number, 1, f"list/{number}") for number in range(5)]
    assert _poll(conn, endpoint, *pages).stored == 5
    assert len(inbox.endpoint_cursor(conn, endpoint.id)["seen"]) == 2
    assert _poll(conn, endpoint, *pages).stored == 0
    assert _count(conn, endpoint) == 5


def test_a_fault_keeps_what_came_before_and_moves_no_further(conn: Any) -> None:
    endpoint = _endpoint(conn)
    with pytest.raises(Unavailable):
        _poll(conn, endpoint, _page(b"[1]", 1), Unavailable("crm_half_answer", "cut"),
              _page(b"[2]", 2))  # fmt: skip
    conn.rollback()
    assert inbox.endpoint_cursor(conn, endpoint.id)["list"] == 1
    assert _count(conn, endpoint) == 1


def test_an_empty_page_stores_nothing_and_moves_the_watermark(conn: Any) -> None:
    endpoint = _endpoint(conn)
    assert _poll(conn, endpoint, _page(b"", 7)).stored == 0
    assert inbox.endpoint_cursor(conn, endpoint.id)["list"] == 7
    assert _count(conn, endpoint) == 0


def _wait(until: Any, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def polling(db: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[threading.Event]]:
    """Start what polls, as `pipshare work` does, in quarters of seconds; loopback is opened."""
    import ipaddress
    from dataclasses import replace

    from pipshare import settings
    from pipshare.pipeline.crm import pollers
    from pipshare.pipeline.crm import polling as polling_
    from pipshare.pipeline.crm.folder import Folder

    opened = replace(settings.ENV, egress_allow=(ipaddress.ip_network("127.0.0.0/8"),))
    monkeypatch.setattr(settings, "ENV", opened)
    monkeypatch.setattr(polling_, "LOOK_S", 0.05)
    make = pollers.make

    def quick(*given: Any) -> Any:
        made = make(*given)
        made.poll_s *= ROUND_S
        if isinstance(made, Folder):
            made.looks.apart_s *= ROUND_S
        return made

    monkeypatch.setattr(pollers, "make", quick)
    halts = [threading.Event(), threading.Event()]
    threads = [threading.Thread(target=polling_.poll_crms, args=(one,)) for one in halts]
    for thread in threads:
        thread.start()
    yield halts
    for one in halts:
        one.set()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive()


def test_it_works_backs_off_alerts_and_works_again(
    conn: Any, fake: Any, polling: list[threading.Event]
) -> None:
    system = fake(fakes.B2Core)
    system.lists["clients"] = [{"id": 1, "createTime": "2026-03-01"}]
    system.fault = fakes.DENIED
    endpoint = _endpoint(conn, url=system.base, lists="clients", poll_s=1)

    def status() -> inbox.EndpointStatus:
        found = inbox.endpoint_statuses(conn)[endpoint.id]
        conn.commit()
        return found

    def alerts() -> list[str]:
        found = [one.message for one in inbox.alerts(conn) if one.code == "crm_down"]
        conn.commit()
        return found

    _wait(lambda: status().fails and alerts())
    assert "refuses us (HTTP 401)" in alerts()[0]
    assert status().error == alerts()[0]
    assert KEY not in alerts()[0]
    system.fault = ""
    _wait(lambda: status().fails == 0 and _count(conn, endpoint) == 1)
    assert alerts() == []
    assert status().last_news_ms
    inbox.set_endpoint_state(conn, endpoint, "paused", by="anna")
    conn.commit()
    time.sleep(3 * ROUND_S)
    asked = len(system.sink.got)
    time.sleep(2.5 * ROUND_S)
    assert len(system.sink.got) == asked


def test_two_instances_never_poll_one_endpoint(
    conn: Any, fake: Any, polling: list[threading.Event]
) -> None:
    system = fake(fakes.B2Core)
    endpoint = _endpoint(conn, url=system.base, lists="clients", poll_s=1)
    _wait(lambda: system.sink.got)
    assert not inbox.lease_endpoint(conn, endpoint.id)
    conn.commit()
    began, before = time.monotonic(), len(system.sink.got)
    time.sleep(4 * ROUND_S)
    asked = len(system.sink.got)
    rounds = (time.monotonic() - began) / ROUND_S
    assert 1 <= asked - before <= rounds + 1, "two would ask twice as often"
    for halt in polling[:1]:
        halt.set()
    _wait(lambda: len(system.sink.got) > asked + 1)


def test_a_slow_endpoint_keeps_no_other_waiting(
    conn: Any, fake: Any, polling: list[threading.Event]
) -> None:
    slow, quick = fake(fakes.B2Core), fake(fakes.B2Core)
    release = threading.Event()
    good = slow.good
    slow.good = lambda got: release.wait(10) and good(got)
    for code, system in (("slow", slow), ("quick", quick)):
        told = {"url": system.base, "lists": "clients", "poll_s": 1}
        made = inbox.add_endpoint(conn, 1, code, "b2core", settings=told, by="anna")
        inbox.set_endpoint_secret(conn, made, KEY, by="anna")
    conn.commit()
    _wait(lambda: len(quick.sink.got) >= 3)
    release.set()


def test_a_bad_file_raises_its_own_alert_and_the_next_one_is_taken(
    conn: Any, tmp_path: Path, polling: list[threading.Event]
) -> None:
    (tmp_path / "a.json").write_text("[1,")
    (tmp_path / "b.json").write_text('{"n": 1}')
    endpoint = inbox.add_endpoint(
        conn, 1, "drop", "folder", settings={"dir": str(tmp_path), "poll_s": 1}, by="anna"
    )
    conn.commit()
    _wait(lambda: _count(conn, endpoint) == 1, 30)
    _wait(lambda: (tmp_path / "done" / "b.json").exists())
    found = {one.code: one.message for one in inbox.alerts(conn)}
    assert set(found) == {"crm_file_refused"}
    assert "a.json was refused" in found["crm_file_refused"]
    assert inbox.endpoint_statuses(conn)[endpoint.id].fails == 0


def test_a_crm_that_asks_for_patience_gets_it(
    conn: Any, fake: Any, polling: list[threading.Event]
) -> None:
    system = fake(fakes.B2Core)
    system.fault = fakes.BUSY  # seven seconds
    _endpoint(conn, url=system.base, lists="clients", poll_s=1)
    _wait(lambda: system.sink.got)
    time.sleep(1.3)  # else it is asked again within a second
    assert len(system.sink.got) == 1
