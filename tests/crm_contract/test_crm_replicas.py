"""Read-only replicas: a real MariaDB with FX Back Office's tables, and PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.crm_contract.mariadb_server import PASSWORD, SETTINGS, MariaDb, mariadb

from pipshare.crm.polled import Page
from pipshare.crm.sql import Config, Replica
from pipshare.errors import BadInput, PipshareError
from pipshare.period import to_ms

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
NOW_MS = to_ms(datetime.fromisoformat("2026-03-20T12:00:00+00:00"))
HOUR_MS = 3_600_000


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with mariadb() as made:
        yield made


@pytest.fixture
def maria(server: MariaDb) -> MariaDb:
    server.reset()
    return server


def _replica(settings: Mapping[str, Any], secret: str = PASSWORD) -> Replica:
    from pipshare.pipeline.crm.replicas import door

    config = Config.parse(settings, secret)
    return Replica(config, door(config, LOOPBACK))


def _rows(pages: list[Page], table: str = "") -> list[dict[str, Any]]:
    told = [one for page in pages if page.body for one in json.loads(page.body)]
    return [one["row"] for one in told if table in ("", one["table"])]


def _round(replica: Replica, cursor: Mapping[str, Any], now_ms: int = NOW_MS) -> list[Page]:
    return list(replica.fetch(json.loads(json.dumps(cursor)), now_ms))


def _money(maria: MariaDb, first: int, count: int, day: str = "2026-03-02") -> None:
    maria.run(*(
        "INSERT INTO transactions VALUES"
        f" ({number}, 7, 'deposit', 'approved', 500.1, 0.1, 'USD', 'card',"
        f" '{day} 10:00:{number % 60:02}.123456', NULL)"
        for number in range(first, first + count)
    ))  # fmt: skip


def test_values_come_as_they_are_written_there(maria: MariaDb) -> None:
    maria.run("INSERT INTO users VALUES (7, 0, 'IB-7', 'CY', 'Zoë', '2026-03-01 09:00:00')",
              "INSERT INTO transactions VALUES (1, 7, 'deposit', NULL, 0.1, 0.1, 'USD', '卡',"
              " '2026-03-02 10:00:00.000001', 0xFF00)")  # fmt: skip
    table = {"table": "transactions", "key": "id", "columns": {
        "id": "id", "paid": "amount", "about": "amountDouble", "how": "method", "at": "processed",
        "status": "status", "note": "note"}}  # fmt: skip
    pages = _round(_replica(maria.settings(tables=[table])), {})
    assert _rows(pages) == [
        {"id": 1, "paid": "0.10000000", "about": "0.1", "how": "卡", "status": None,
         "at": "2026-03-02 10:00:00.000001", "note": "ff00"}
    ]  # fmt: skip
    pages = _round(_replica(maria.settings()), {})
    (user,) = _rows(pages, "users")
    assert user == {"id": 7, "isIb": 0, "cid": "IB-7", "country": "CY",
                    "registered": "2026-03-01 09:00:00"}  # fmt: skip


def test_pages_go_on_and_what_changed_is_read_with_an_overlap(maria: MariaDb) -> None:
    _money(maria, 1, 25)
    replica = _replica(maria.settings(page=10))
    pages = [page for page in _round(replica, {}) if page.place.startswith("transactions")]
    assert [len(_rows([page])) for page in pages] == [10, 10, 5]
    cursor = pages[-1].cursor
    _money(maria, 26, 1, "2026-03-20")
    maria.run("INSERT INTO transactions VALUES (99, 7, 'deposit', '', 1, 1, 'USD', '',"
              " '2026-03-02 09:55:00', NULL)")  # fmt: skip
    again = _rows(_round(replica, cursor), "transactions")
    assert {26, 99} <= {row["id"] for row in again}  # 99 committed late, within ten minutes
    replica.close()
    broken = _replica(maria.settings(page=10))
    first = next(iter(broken.fetch({}, NOW_MS)))
    rest = _rows(_round(broken, first.cursor), "transactions")
    assert len({row["id"] for row in rest}) == 27


def test_equal_moments_across_a_page_lose_no_row(maria: MariaDb) -> None:
    maria.run(*(f"INSERT INTO transactions VALUES ({number}, 7, 'deposit', 'done', 1, 1, 'USD', '',"
                " '2026-03-02 10:00:00', NULL)" for number in range(1, 8)))  # fmt: skip
    pages = _round(_replica(maria.settings(page=3)), {})
    assert [row["id"] for row in _rows(pages, "transactions")] == [1, 2, 3, 4, 5, 6, 7]


def test_a_table_without_moments_is_read_on_by_key_and_whole_when_due(maria: MariaDb) -> None:
    maria.run(*(f"INSERT INTO ib_tree_with_self VALUES (1, {one}, 1)" for one in range(10, 15)))
    replica = _replica(maria.settings(page=2))
    cursor = _round(replica, {})[-1].cursor
    maria.run("INSERT INTO ib_tree_with_self VALUES (2, 3, 1), (0, 3, 2)")
    soon = _rows(_round(replica, cursor, NOW_MS + 60_000), "ib_tree_with_self")
    assert [(row["ibId"], row["referralId"]) for row in soon] == [(2, 3)]
    whole = _rows(_round(replica, cursor, NOW_MS + HOUR_MS), "ib_tree_with_self")
    assert len(whole) == 7


def test_nothing_can_be_written_through_it(maria: MariaDb) -> None:
    replica = _replica(maria.settings(user="boss"), "boss")
    with pytest.raises(PipshareError, match="READ ONLY"):
        replica.door.rows("DELETE FROM transactions WHERE id = %s", [1])


@pytest.mark.parametrize(
    ("told", "secret", "code", "says"),
    [
        ({}, "wrong", "crm_denied", "Access denied"),
        ({"database": "mysql"}, PASSWORD, "crm_denied", "denied"),
        ({"port": 1}, PASSWORD, "crm_unreachable", "does not answer"),
        ({"tls": "required"}, PASSWORD, "crm_unreachable", "SSL is required"),
        ({"tables": [{"table": "gone", "columns": ["id"], "key": "id"}]}, PASSWORD,
         "crm_not_found", "doesn't exist"),
        ({"tables": [{"table": "users", "columns": ["nope"], "key": "id"}]}, PASSWORD,
         "crm_not_found", "nope"),
    ],
)  # fmt: skip
def test_a_replica_that_cannot_be_read_is_a_named_fault(
    maria: MariaDb, told: dict[str, Any], secret: str, code: str, says: str
) -> None:
    with pytest.raises(PipshareError, match=says) as caught:
        _round(_replica(maria.settings(**told), secret), {})
    assert caught.value.code == code
    assert secret not in caught.value.message or secret == "wrong"


def test_a_connection_that_was_lost_is_opened_again(maria: MariaDb) -> None:
    _money(maria, 1, 1)
    replica = _replica(maria.settings())
    _round(replica, {})
    maria.run("KILL USER reader")
    with pytest.raises(PipshareError, match="does not answer"):
        _round(replica, {})
    assert len(_rows(_round(replica, {}))) == 1


@contextmanager
def _forwarded(target: str) -> Iterator[int]:
    """Lead a port on loopback to the socket on which the tests' PostgreSQL listens."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await reader.read(65_536):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(target)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    async def serve() -> None:
        told["loop"], told["end"] = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        told["port"] = server.sockets[0].getsockname()[1]
        ready.set()
        await told["end"].wait()
        server.close()

    told: dict[str, Any] = {}
    ready = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10)
    yield told["port"]
    told["loop"].call_soon_threadsafe(told["end"].set)
    thread.join(10)


def test_postgresql_is_read_the_same_way(db: Any) -> None:
    info = psycopg.conninfo.conninfo_to_dict(db.target.owner)
    if not str(info.get("host", "")).startswith("/"):
        pytest.skip("the tests' PostgreSQL is another server, which has no socket here")
    with db.owner(autocommit=True) as conn:
        conn.execute("CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric, rough float8,"
                     " at timestamptz, ok bool, raw bytea)")  # fmt: skip
        conn.execute("INSERT INTO payments SELECT n, 0.10, 0.1, timestamptz '2026-03-02 10:00Z'"
                     " + n * interval '1 s', true, '\\xff00'"
                     " FROM generate_series(1, 5) n")  # fmt: skip
    with _forwarded(f"{info['host']}/.s.PGSQL.{info.get('port', 5432)}") as port:
        table = {"table": "payments", "key": "id", "changed": "at",
                 "columns": ["id", "amount", "rough", "at", "ok", "raw"]}  # fmt: skip
        settings = {"driver": "postgresql", "host": "127.0.0.1", "port": port, "tls": "off",
                    "database": info["dbname"], "user": info["user"], "page": 2,
                    "tables": [table]}  # fmt: skip
        replica = _replica(settings, str(info.get("password") or "none"))
        pages = _round(replica, {})
        assert [row["id"] for row in _rows(pages)] == [1, 2, 3, 4, 5]
        assert _rows(pages)[0] == {"id": 1, "amount": "0.10", "rough": "0.1", "ok": True,
                                   "at": "2026-03-02 10:00:01+00", "raw": "ff00"}  # fmt: skip
        again = _rows(_round(replica, pages[-1].cursor))
        assert [row["id"] for row in again] == [1, 2, 3, 4, 5]  # all of the last ten minutes
        with pytest.raises(PipshareError, match="read-only"):
            replica.door.rows("DELETE FROM payments", [])
        with pytest.raises(PipshareError, match="gone") as caught:
            replica.door.rows("SELECT * FROM gone", [])
        assert caught.value.code == "crm_not_found"
        replica.close()
        wrong = _replica({**settings, "user": "nobody_here"}, "x")
        with pytest.raises(PipshareError) as caught:
            _round(wrong, {})
        assert caught.value.code in ("crm_denied", "crm_unreachable")


def test_the_settings_in_the_readme_are_right() -> None:
    text = (Path(__file__).resolve().parents[2] / "src/pipshare/crm/sql/README.md").read_text()
    (block,) = re.findall(r"^    (\{.*?\}\]\})$", text, re.MULTILINE | re.DOTALL)
    config = Config.parse(json.loads(block), "s")
    assert [one.known_as for one in config.tables] == [one["table"] for one in SETTINGS]
    assert [one.order for one in config.tables] == [
        ("registered", "id"), ("ibId", "referralId"), ("loginSid",), ("processed", "id"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"driver": "oracle"}, "'oracle' is none of mariadb, postgresql"),
        ({"tables": []}, "list of 1 to 50 tables"),
        ({"tables": [{"table": "a b", "columns": ["id"], "key": "id"}]}, "no plain name"),
        ({"tables": [{"table": "a", "columns": {"x": "id`; DROP"}, "key": "id"}]}, "no plain"),
        ({"tables": [{"table": "a", "columns": ["id"]}]}, "names the column, or the columns"),
        ({"tables": [{"table": "a", "columns": ["id"], "key": "id"}] * 2}, "names a twice"),
        ({"tls": "maybe"}, "neither required nor off"),
    ],
)
def test_a_wrong_setting_names_table_and_column(told: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Config.parse({**MariaDb(3306).settings(), **told}, "s")


def test_a_private_address_is_not_read_unless_opened() -> None:
    from pipshare.pipeline.crm.replicas import door

    config = Config.parse({**MariaDb(3306).settings(host="10.0.0.7"), "tls": "required"}, "s")
    with pytest.raises(PipshareError, match="PIPSHARE_EGRESS_ALLOW"):
        list(Replica(config, door(config, ())).fetch({}, NOW_MS))
