"""Two workers, one window: they cannot pass one cap, and one that dies leaves nothing half done."""

from __future__ import annotations

import random
from threading import Thread
from typing import Any

import pytest
from small_broker import SmallBroker, manager, manager_row
from window_plans import CAPPED, TIERS

from pipshare import db as pg
from pipshare import ledger, statements
from pipshare.pipeline import Run
from pipshare.pipeline.files import Order, import_file
from pipshare.pipeline.loads import apply_plan
from pipshare.pipeline.windows import settle_windows

E8 = 10**8
MORE_LOADS = {
    "servers": "server,platform,clock,go_live\nLive-6,mt4,UTC,2026-01-01T00:00:00Z\n",
    "accounts": "server,login,client\nLive-6,1001,C-1\n",
}


def _more(small: SmallBroker) -> None:
    for kind, text in MORE_LOADS.items():
        assert not small.load(kind, text)[0].refused
    apply_plan(small.run, small.file("std.toml", CAPPED), by="anna")


@pytest.fixture
def broker(ready: Any) -> Any:
    """A client with an account on each of two MT4 servers, and a cap per client and day."""
    return ready(SmallBroker, then=_more)


def _rows(first: int, count: int) -> str:
    return manager(*(manager_row(first + n, "0.10") for n in range(count)))


def _whole(broker: SmallBroker) -> None:
    broker.conn.rollback()
    assert ledger.verify(broker.conn)[0] == []
    assert statements.check_lines(broker.conn) == []


def test_two_workers_at_once_cannot_pass_one_cap(broker: SmallBroker) -> None:
    seen: list[int] = []

    def work(server: str, first: int) -> None:
        with pg.connect("app") as conn:
            run = Run(conn)
            for n in range(4):
                path = broker.folder / f"{server}-{n}.csv"
                path.write_text(_rows(first + 10 * n, 10))
                import_file(run, path, Order(server, "worker"))

    workers = [Thread(target=work, args=one) for one in (("Live-4", 100), ("Live-6", 500))]
    for one in workers:
        one.start()
    with pg.connect("app") as watch:
        while any(one.is_alive() for one in workers):
            row = watch.execute(
                "SELECT COALESCE(sum(amount_e8), 0)::bigint FROM ledger_balance"
                " WHERE payee_kind = 'partner'"
            ).fetchone()
            watch.rollback()
            seen.append(row[0])
    for one in workers:
        one.join()
    assert max(seen) <= 12 * E8
    assert broker.totals() == {"P-2": 12 * E8}
    _whole(broker)


def test_a_settling_that_dies_is_done_again_and_posts_nothing_twice(
    broker: SmallBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipshare.pipeline.windows import settle

    def dies(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(settle, "store_window_lines", dies)
        with pytest.raises(RuntimeError, match="killed"):
            broker.bring("a.csv", _rows(100, 40))
    assert broker.totals() == {}
    for _ in range(2):
        settle_windows(broker.run)
        assert broker.totals() == {"P-2": 12 * E8}
    assert broker.count("rating_window_line") == 1
    _whole(broker)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_and_any_pieces_come_to_a_full_run(broker: SmallBroker, seed: int) -> None:
    """Late, repeated, corrected: totals equal those of one import in the right order."""
    apply_plan(broker.run, broker.file("std.toml", TIERS.format(method="retroactive")), by="anna")
    draw = random.Random(seed)
    days = [f"2026.0{draw.randint(3, 4)}.{draw.randint(3, 28):02d} 11:00:00" for _ in range(24)]
    rows = [
        manager_row(ticket, f"0.{draw.randint(1, 9)}0", **{"Close Time": day})
        for ticket, day in enumerate(days, 1)
    ]
    shuffled = draw.sample(rows, len(rows))
    for n in range(0, len(rows), 5):
        broker.bring(f"{n}.csv", manager(*shuffled[n : n + 5], *draw.sample(shuffled[: n + 5], 2)))
    lots = {"03": 0, "04": 0}
    for row in rows:
        lots[row[9][5:7]] += int(row[5][2:])
    wanted = sum(n * (5 if n >= 200 else 3) * E8 // 100 for n in lots.values())
    assert broker.totals() == {"P-2": wanted}
    _whole(broker)


def test_trees_settled_in_parts_come_to_the_same(
    broker: SmallBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipshare.pipeline.windows import work

    apply_plan(broker.run, broker.file("std.toml", TIERS.format(method="retroactive")), by="anna")
    broker.load("partners", "partner,name\nP-8,Other\nP-9,Third\n")
    broker.load("terms", "partner,programme\nP-8,std\nP-9,std\n")
    broker.load("clients", "client,partner\nC-8,P-8\nC-9,P-9\n")
    broker.load("accounts", "server,login,client\nLive-4,1008,C-8\nLive-4,1009,C-9\n")
    monkeypatch.setattr(work, "AT_ONCE", 1)
    logins = ("1001", "1008", "1009")
    rows = [manager_row(n, "1.00", Login=logins[n % 3]) for n in range(1, 8)]
    broker.bring("a.csv", manager(*rows))
    assert broker.totals() == {"P-2": 10 * E8, "P-8": 15 * E8, "P-9": 10 * E8}
    _whole(broker)
