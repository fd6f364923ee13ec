"""The hand-written transcript of the documentation, served byte by byte to the connector."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from scripted_tls import Asked, TlsServer
from tests.transcripts_reader import Exchange, exchanges, let

from pipshare.sources.mt5_web import Config, Connection, answer, parse, values
from pipshare.sources.mt5_web.answer import value
from pipshare.sources.mt5_web.clock import server_time


class Reciter:
    """Answers each request with the transcript's next exchange, if it asks for just that."""

    def __init__(self) -> None:
        self.left = exchanges()
        self.heard: list[str] = []

    def __call__(self, asked: Asked) -> bytes | None:
        now = self.left.pop(0)
        self.heard.append(asked.path)
        if (now.path, now.parameters) != (asked.path, asked.params):
            return f"HTTP/1.1 500 not {now.name}: {asked.target}\r\n\r\n".encode()
        head = [f"HTTP/1.1 {now.status} OK", *(f"{k}: {v}" for k, v in now.answer_headers.items())]
        body = now.answer
        return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


def _given() -> dict[str, str]:
    return let()


def test_the_documented_exchange(pem: Path) -> None:
    given, reciter = _given(), Reciter()
    span = {"from": int(given["from"]), "to": int(given["to"])}
    with TlsServer(pem, reciter) as server:
        config = Config(server.url, int(given["manager"]), given["password"], ca_file=pem)
        one = Connection(config, random=lambda size: bytes.fromhex(given["cli_rand"]))
        one.open()
        assert one.version == "1290"
        one.ping()
        told = one.get("/api/time/server")
        now = server_time(value(told), 1572515188000, "here")
        assert now == values.ServerTime(1572518788000, 1572515188000)
        assert now.offset_ms == 3_600_000
        told = one.get("/api/user/logins", group=given["group"])
        assert value(told) == ["764636", "764637"]
        told = one.get("/api/deal/get_batch", login=given["logins"], **span)
        _three(parse.deals(told, **_ends(span)))
        told = one.get("/api/deal/get_page", login=given["login"], **span, offset=1, total=100)
        assert parse.deals(told, **_ends(span)).seen.tolist() == [11918643]
        told = one.get("/api/deal/get_total", login=given["login"], **span)
        assert value(told) == {"total": "2"}
        told = one.get("/api/deal/get", ticket=given["deal"])
        assert parse.deals(told, 0, 0).deals["profit_e8"].to_list() == [-14_07000000]
        told = one.get("/api/deal/get", ticket=given["no_deal"])
        assert (told.code, told.text) == (13, "Not found")
        told = one.get("/api/deal/get_batch", login=given["login"], ticket=given["deal"], **span)
        assert told.code == 3
        one.quit()
        assert not one.is_open
    assert not reciter.left
    assert server.connections == 1


def _ends(span: dict[str, int]) -> dict[str, int]:
    return {"from_s": span["from"], "to_s": span["to"]}


def _three(told: values.DealsAnswer) -> None:
    assert not told.refused
    assert told.seen.tolist() == [11918642, 11918643, 11918644]
    rows = told.deals.select(
        "deal", "login", "order", "position", "action", "entry", "reason", "time_ms", "symbol",
        "volume_e8", "closed_e8", "price_e8", "position_price_e8", "profit_e8", "commission_e8",
        "rate_profit_e8", "contract_e8",
    ).rows()  # fmt: skip
    assert rows == [
        (11918642, 764636, 12832917, 12832917, 0, 0, 0, 1572518788123, "EURGBP", 10_000_000, 0,
         85_110_000, 0, 0, -35_000_000, 0, 100_000_00000000),
        (11918643, 764636, 12832918, 12832917, 1, 1, 0, 1572522388456, "EURGBP", 10_000_000,
         10_000_000, 85_000_000, 85_110_000, -1_407_000_000, -35_000_000, 127_886_000,
         100_000_00000000),
        (11918644, 764637, 0, 0, 2, 0, 2, 1572522390001, "", 0, 0, 0, 0, 100_000_000_000, 0, 0, 0),
    ]  # fmt: skip
    assert told.remarks.rows()[2] == (11918644, "onlinedeposit", 0)
    assert told.deals["line"].to_list() == [0, 0, 0]
    assert told.raw[2].startswith(b'{"Deal":"11918644"')


@pytest.mark.parametrize("one", exchanges(), ids=lambda one: one.name)
def test_every_answer_of_the_transcript_has_a_retcode(one: Exchange) -> None:
    told = answer.read(one.answer, "here")
    assert told.code == int(value(told, whole=True)["retcode"].split(" ")[0])


def test_frames_have_their_schemas() -> None:
    batch = next(one for one in exchanges() if one.name == "deal_get_batch")
    told = parse.deals(answer.read(batch.answer, "here"), 0, 0)
    assert dict(told.remarks.schema) == {
        "deal": pl.Int64(), "comment": pl.String(), "flags": pl.Int64()
    }  # fmt: skip
    assert len(told.raw) == len(told.hashes) == len(told.deals) == told.count
