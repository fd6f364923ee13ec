"""CRMs on loopback, speaking the shapes that their vendors document, with faults on request.

They share no code with the clients. Names and addresses of people are invented.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.outbox.sink import Got, Sink, reply

SECRET = "a secret of these tests"
KEY = "0a1b2c3d4e5f60718293"
HALF, TEXT, GARBAGE, BUSY, DOWN, DENIED, SAME, ELSEWHERE, SILENT = FAULTS = (
    "half", "text", "garbage", "busy", "down", "denied", "same", "elsewhere", "silent",
)  # fmt: skip
WRONG = "Might be your inputs are either wrong or not in right format. Please check and try again"
Row = dict[str, Any]


class Fake:
    """One CRM. `lists` are its records; `fault` is what it does wrong from now on, "" = nothing.

    `after`: so many good answers before the fault.
    """

    def __init__(self) -> None:
        self.lists: dict[str, list[Row]] = {}
        self.fault, self.after = "", 0
        self.sink = Sink(self.answer)
        self.last_good = b""

    @property
    def base(self) -> str:
        return self.sink.url("").rstrip("/")

    def close(self) -> None:
        self.sink.close()

    def asked(self, part: str = "") -> list[Got]:
        """Return what was asked whose address has this part."""
        return [got for got in self.sink.got if part in got.path]

    def answer(self, got: Got) -> bytes | Callable[..., Any]:
        """Answer as the system does, or wrongly."""
        good = self.good(got)
        if not self.fault or "/oauth/" in got.path:
            self.last_good = good
            return good
        if self.after > 0:
            self.after -= 1
            self.last_good = good
            return good
        if self.fault == SAME:
            return self.last_good
        return wrong(self.fault, good)

    def good(self, got: Got) -> bytes:
        raise NotImplementedError


def wrong(fault: str, good: bytes) -> bytes | Callable[..., Any]:
    """Return a bad answer in the place of a good one."""
    if fault in (HALF, SILENT):
        sent = good[: len(good) * 2 // 3] if fault == HALF else b""

        async def cut(writer: asyncio.StreamWriter) -> None:
            writer.write(sent)
            await writer.drain()
            writer.close()
            raise ConnectionError

        return cut
    return {
        TEXT: reply(200, json.dumps(WRONG).encode(), Content_Type="application/json"),
        GARBAGE: reply(200, b"<html>maintenance</html>", Content_Type="text/html"),
        BUSY: reply(429, b"{}", Retry_After="7"),
        DOWN: reply(502, b"bad gateway"),
        DENIED: reply(401, b'{"message":"no"}'),
        ELSEWHERE: reply(302, b"", Location="http://127.0.0.1:1/"),
    }[fault]


def told(rows: Any, status: int = 200) -> bytes:
    return reply(status, json.dumps(rows).encode(), Content_Type="application/json")


def query(got: Got) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(got.path).query).items()}


class CurrentDesk(Fake):
    """The partner REST API, as public affiliate software asks it."""

    dates: ClassVar = {"LeadRegistration": "RegistrationDate", "TradeInfo": "CreationDate",
             "TransactionInfo": "TransactionDate", "TraderStatus": "TransactionDate"}  # fmt: skip

    def good(self, got: Got) -> bytes:
        name = urlsplit(got.path).path.rpartition("/")[2]
        user = base64.b64encode(f"partner,{SECRET}".encode()).decode()
        if got.headers.get("authorization") != f"Basic {user}" or name not in self.dates:
            return told(WRONG)
        days, date = query(got), self.dates[name]
        rows = [row for row in self.lists.get(name, ())
                if days["startDate"] <= row[date][:10] < days["endDate"]]  # fmt: skip
        return told(rows)


class B2Core(Fake):
    """The Back Office API: data[] by limit and offset, sorted."""

    def good(self, got: Got) -> bytes:
        if got.headers.get("authorization") != f"Bearer {KEY}":
            return told({"message": "Unauthenticated."}, 401)
        name, asked = urlsplit(got.path).path.removeprefix("/api/v2/"), query(got)
        rows = sorted(self.lists.get(name, ()), key=lambda row: row[asked["sort_by"]],
                      reverse=asked["sort_order"] == "desc")  # fmt: skip
        first = int(asked["offset"])
        return told({"data": rows[first : first + int(asked["limit"])]})


class Broctagon(Fake):
    """The CRM Open API: the key in a header, bodies signed with it, pages of 500 at most."""

    def good(self, got: Got) -> bytes:
        if got.headers.get("key") != KEY:
            return told({"message": "no key"}, 401)
        path = urlsplit(got.path).path
        if got.method == "GET" and path == "/public/v1/users":
            asked: dict[str, Any] = query(got)
            rows = self.lists.get("users", [])
        elif got.method == "POST" and path == "/public/v1/report/transactions":
            right = "sha256=" + hmac.new(KEY.encode(), got.body, hashlib.sha256).hexdigest()
            if got.headers.get("signature") != right:
                return told({"message": "signature"}, 401)
            asked = json.loads(got.body)
            rows = [row for row in self.lists.get("transactions", ())
                    if asked["start"] <= row["timestamp"][:10] <= asked["end"]]  # fmt: skip
        else:
            return told({"message": "not found"}, 404)
        first, size = int(asked["skip"]), int(asked["limit"])
        if size > 500:
            return told({"message": "limit"}, 400)
        return told({"count": len(rows), "records": rows[first : first + size]})


class Track360(Fake):
    """A broker's pull API in Track360's schema; tokens end early, pages hold 100 at most."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        super().__init__()

    def good(self, got: Got) -> bytes:
        path = urlsplit(got.path).path
        if path == "/oauth/token":
            form = {name: values[0] for name, values in parse_qs(got.body.decode()).items()}
            right = {"grant_type": "client_credentials", "client_id": "us", "client_secret": SECRET}
            if got.method != "POST" or form != right:
                return told({"error": "invalid_client"}, 401)
            self.tokens.append(f"token-{len(self.tokens)}")
            return told({"access_token": self.tokens[-1], "token_type": "Bearer",
                         "expires_in": 3600})  # fmt: skip
        if not self.tokens or got.headers.get("authorization") != f"Bearer {self.tokens[-1]}":
            return told({"error": "invalid_token"}, 401)
        asked = query(got)
        rows = self.lists.get(path.removeprefix("/api/v1/forex/"), [])
        if "updated_since" in asked:
            rows = [row for row in rows if row["last_modified_date"] >= asked["updated_since"]]
        size = min(int(asked["per_page"]), 100)
        first = (int(asked["page"]) - 1) * size
        return told({"data": rows[first : first + size]})
