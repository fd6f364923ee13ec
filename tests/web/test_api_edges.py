"""The REST API against those who try to break it: odd bodies, odd addresses, odd cursors."""

from __future__ import annotations

import base64
import io
import json
import socket
import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from tests.web.test_api import TRADE, call, problem, pusher, reader, small

MOST_BYTES = 16 * 1024 * 1024
__all__ = ["call", "pusher", "reader", "small"]  # fixtures
Call = Callable[..., Any]


def cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "place",
    [
        [-(10**30), 2, 3], [10**30, 2, 3], [1, 10**30, 3], [1, 2, 10**30], [10**17, 1, 1],
        [float("inf"), 2, 3], [float("nan"), 2, 3], [1.5, 2, 3], ["1", "2", "3"], [None, 2, 3],
        [True, 2, 3], [1, 2], [1, 2, 3, 4], {"a": 1}, 7, [[], [], []], [-1, 2, 3],
    ],
)  # fmt: skip
def test_a_cursor_that_somebody_made_up_is_refused(call: Call, reader: str, place: Any) -> None:
    problem(call("GET", "/v1/trades", reader, after=cursor(place)), 422, "bad_parameter")


def test_a_cursor_of_brackets_is_refused(call: Call, reader: str) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    problem(call("GET", "/v1/trades", reader, after=deep), 422, "bad_parameter")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/trades?symbol=%00", "/v1/trades?server=%00", "/v1/trades/%00/1",
        "/v1/partners/%00/statements/2026-03", "/v1/partners/P-1/statements/%00",
        "/v1/partners/P-1/statements/2026-03?entity=%00",
    ],
)  # fmt: skip
def test_a_zero_byte_in_an_address_is_refused(call: Call, reader: str, path: str) -> None:
    assert "zero byte" in problem(call("GET", path, reader), 422, "bad_parameter")["detail"]


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/trades/"])
def test_an_address_that_does_not_exist_is_a_problem(call: Call, reader: str, path: str) -> None:
    problem(call("GET", path, reader), 404, "no_address")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"symbol": "\\ud800"}', "half a character"),
        ('{"symbol": {"a": 1}}', "not one value"),
        ('{"lots": [1]}', "not one value"),
        ('{"lots": "1", "lots": "99"}', "comes twice"),
    ],
)
def test_a_bad_line_is_refused_by_itself(call: Call, pusher: str, body: str, said: str) -> None:
    good = json.dumps(TRADE | {"ticket": "700"})
    bad = json.dumps(TRADE | {"ticket": "701"})
    for name in ("symbol", "lots"):
        if f'"{name}"' in body:
            bad = bad.replace(f'"{name}": "{TRADE[name]}"', body[1:-1])
    answer = call("POST", "/v1/trades", pusher, f"{good}\n{bad}".encode(),
                  content_type="application/x-ndjson").json()  # fmt: skip
    assert [one["verdict"] for one in answer["results"]][1] == "refused"
    assert said in answer["results"][1]["reason"]
    assert answer["results"][0]["verdict"] in ("new", "repeated")


@pytest.mark.parametrize("twice", ['"lots": "99"', '"LOTS ": "99"'])
def test_a_field_that_comes_twice_is_refused(call: Call, pusher: str, twice: str) -> None:
    body = f"{json.dumps(TRADE)[:-1]}, {twice}}}".encode()
    assert (
        "comes twice"
        in problem(call("POST", "/v1/trades", pusher, body), 400, "bad_json")["detail"]
    )


def test_no_lines_are_no_success_and_a_mark_before_them_is_none(call: Call, pusher: str) -> None:
    kind = "application/x-ndjson"
    for body in (b"\n", b"\n \n", b"\xef\xbb\xbf"):
        problem(call("POST", "/v1/trades", pusher, body, content_type=kind), 400, "empty")
    marked = b"\xef\xbb\xbf" + json.dumps(TRADE | {"ticket": "702"}).encode()
    answer = call("POST", "/v1/trades", pusher, marked, content_type=kind).json()
    assert [one["verdict"] for one in answer["results"]] == ["new"]


def test_many_pushes_with_keys_at_once_do_not_wait_for_each_other(call: Call, pusher: str) -> None:
    """Each held a connection and asked for a second one: as many as there are stood still."""
    answers: list[int] = []

    def push(number: int) -> None:
        trade = TRADE | {"ticket": str(730 + number)}
        headers = {"Idempotency-Key": f"together {number % 15}"}
        answers.append(call("POST", "/v1/trades", pusher, trade, headers=headers).status_code)
        connections.close_all()

    from django.db import connections

    threads = [Thread(target=push, args=(number,)) for number in range(15)]
    began = time.monotonic()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert answers == [200] * 15
    assert time.monotonic() - began < 9, "nobody waited for a connection until patience ended"


def test_half_a_character_in_an_object_is_refused(call: Call, pusher: str) -> None:
    body = json.dumps(TRADE).replace("EURUSD", "\\ud800").encode()
    problem(call("POST", "/v1/trades", pusher, body), 422, "refused")


def test_a_body_that_is_too_large_is_refused_and_one_that_is_large_is_read(
    call: Call, pusher: str
) -> None:
    spaces = b" " * (3 * 1024 * 1024)  # beyond what Django takes by itself
    pushed = call("POST", "/v1/trades", pusher, json.dumps(TRADE).encode() + spaces)
    assert pushed.status_code == 200
    huge = b" " * (MOST_BYTES + 1)
    assert "16 MiB" in problem(call("POST", "/v1/trades", pusher, huge), 413, "too_large")["detail"]


def send(url: str, secret: str, rest: bytes) -> tuple[int, dict[str, Any]]:
    """Send bytes as they are, say that no more comes, and return the status and the answer."""
    host, _, port = url.removeprefix("http://").partition(":")
    head = f"POST /v1/trades HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
    head += "Content-Type: application/json\r\nConnection: close\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as channel:
        channel.sendall(head.encode() + rest)
        channel.shutdown(socket.SHUT_WR)
        found = b"".join(iter(lambda: channel.recv(65_536), b""))
    first, _, body = found.partition(b"\r\n\r\n")
    return int(first.split()[1]), json.loads(body)


def test_what_ended_on_the_way_is_not_taken(live_server: Any, small: Any, pusher: str) -> None:
    whole = json.dumps(TRADE | {"ticket": "710"}).encode()
    status, told = send(live_server.url, pusher, b"Content-Length: 500\r\n\r\n" + whole)
    assert (status, told["code"]) == (400, "cut_short")
    assert f"{len(whole)} of 500" in told["detail"]
    with small.conn.transaction():
        rows = small.conn.execute("SELECT FROM trades_trade WHERE ticket = 710").fetchall()
    assert rows == []


def test_a_chunked_body_is_read(pusher: str, small: Any) -> None:
    """As gunicorn hands it over: its input ends by itself, and no length is known."""
    from django.test import RequestFactory

    from pipshare.api.problems import Problem
    from pipshare.api.sent import read_body

    def asked(stream: Any) -> Any:
        made = RequestFactory().post("/v1/trades", b"", content_type="application/json",
                                     headers={"Transfer-Encoding": "chunked"})  # fmt: skip
        made.environ["wsgi.input"] = stream
        return made

    request = asked(io.BytesIO(b'{"a": 1}'))
    read_body(request)
    assert request.body == b'{"a": 1}'
    with pytest.raises(Problem, match="at most 16 MiB"):
        read_body(asked(io.BytesIO(b" " * (MOST_BYTES + 1))))

    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise RuntimeError("invalid chunk size")

    with pytest.raises(Problem, match="invalid chunk size"):
        read_body(asked(Broken()))
