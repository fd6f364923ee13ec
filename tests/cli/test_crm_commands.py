"""`pipshare crm`: an endpoint's life as it is typed, from adding to a replay after a mending."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipshare import db as pg
from pipshare import inbox
from pipshare.money.currencies import is_known
from pipshare.pipeline.crm.door import Doors, arrival, take_payloads

Pipshare = Callable[..., str]
ROOM = {"user": {"no": 4711, "registered": "28/03/2026 23:30", "nation": "Cyprus"},
        "payments": [{"no": 1, "kind": "in/card", "state": "done", "changed": "29/03/2026 12:00",
                      "cents": 50010, "cur": "usd"}]}  # fmt: skip


@pytest.fixture
def pipshare(db: Any, cli: Any) -> Pipshare:
    """Run a command; return what it said, with another status than 0 on standard error."""

    def run(*arguments: object, code: int = 0) -> str:
        ran = cli(*arguments)
        assert ran.status == code, ran
        return str(ran.out + ran.err if code else ran.out)

    return run


def _send(code: str, told: Any) -> str:
    with pg.connect(autocommit=True) as conn:
        door = Doors(pg.connect).anew(code)
        assert door is not None
        body = json.dumps(told).encode()
        made, _ = arrival(door, body, "application/json", at_ms=time.time_ns() // 1_000_000,
                          delivery="", sender="::1", knows=is_known)  # fmt: skip
        return take_payloads(conn, [made])[0].id


def _secret(said: str) -> str:
    return next(line for line in said.splitlines() if line.startswith("whsec_"))


def test_an_endpoint_is_added_listed_shown_paused_and_removed(pipshare: Pipshare) -> None:
    said = pipshare("crm", "add", "room", "--preset", "trader-room", "--by", "anna")
    secret = _secret(said)
    assert "/hooks/room" in said
    assert "The preset is pipshare's own, no vendor's. It is an example" in said
    assert "never run" not in said
    vendor = pipshare("crm", "add", "pheasant", "--preset", "pheasantech")
    assert "never run against the real system" in vendor
    pipshare("crm", "remove", "pheasant")
    listed = pipshare("crm", "list")
    assert all(word in listed for word in ("room", "main", "webhook", "trader-room", "active"))
    shown = pipshare("crm", "show", "room")
    assert "X-Room-Signature" in shown
    assert "secrets that hold: 1" in shown
    assert secret not in listed + shown
    again = _secret(pipshare("crm", "rotate", "room"))
    assert again != secret
    assert "secrets that hold: 2" in pipshare("crm", "show", "room")
    pipshare("crm", "rotate", "room", "--now")
    with pg.connect() as conn:
        one = inbox.endpoint(conn, "room")
        held = inbox.endpoint_secrets(conn, one.id)
    assert secret in held  # its day goes on; the one that was ended is gone
    assert again not in held
    pipshare("crm", "pause", "room", "--reason", "they test")
    assert "paused" in pipshare("crm", "list")
    pipshare("crm", "resume", "room")
    assert "shall be" not in pipshare("crm", "remove", "room")
    assert "no endpoint" in pipshare("crm", "show", "room", code=1)


def test_what_a_preset_leaves_open_is_asked_for(pipshare: Pipshare) -> None:
    said = pipshare("crm", "add", "invite", "--preset", "ctrader-invite", code=1)
    assert '--fill "user=..."' in said
    pipshare("crm", "add", "invite", "--preset", "ctrader-invite", "--fill", "user=ct")
    assert "answer: ctrader-invite" in pipshare("crm", "show", "invite")
    assert '"user": "ct"' in pipshare("crm", "show", "invite")


@pytest.mark.parametrize(("options", "said"), [
    (("--set", "answer=loud"), "none of full, plain"),
    (("--set", "colour=blue"), "is no setting of webhook"),
    (("--set", "limit=many"), "no whole number"),
    (("--verify", '[{"method": "trust"}]'), "unknown"),
    (("--kind", "currentdesk", "--set", "url=https://crm.example.com/api"), "user"),
])  # fmt: skip
def test_settings_that_cannot_be_used_are_refused(
    pipshare: Pipshare, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.setenv("PIPSHARE_CRM_SECRET", "")
    monkeypatch.setattr("click.prompt", lambda *given, **more: "a password of theirs")
    assert said in pipshare("crm", "add", "one", *options, code=1)
    with pg.connect() as conn:
        assert inbox.endpoints(conn) == []


def test_the_crms_own_secret_comes_from_a_file(pipshare: Pipshare, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("the secret of the room\n")
    said = pipshare("crm", "add", "room", "--preset", "trader-room", "--secret-file", file)
    assert "shown only now" not in said
    with pg.connect() as conn:
        held = inbox.endpoint_secrets(conn, inbox.endpoint(conn, "room").id)
    assert held == ["the secret of the room"]


def test_a_mapping_is_shown_tested_mended_published_and_replayed(
    pipshare: Pipshare, tmp_path: Path
) -> None:
    pipshare("crm", "add", "room", "--preset", "trader-room")
    mapping, payload = tmp_path / "mapping.json", tmp_path / "payload.json"
    mapping.write_text(pipshare("crm", "mapping", "show", "room"))
    payload.write_text(json.dumps(ROOM))
    tested = pipshare("crm", "mapping", "test", "room", payload)
    assert "client 4711" in tested
    assert "amount 500.10" in tested
    odd = json.loads(json.dumps(ROOM))
    odd["payments"][0]["kind"] = "geld/karte"
    id_ = _send("room", odd)
    assert _send("room", odd) == id_
    assert "problem unknown_word" in pipshare("crm", "mapping", "test", "room", id_, code=1)
    first = pipshare("crm", "replay", "--id", id_)
    assert "1 problem" in first
    assert f"--id {id_}" in first
    text = mapping.read_text().replace('"in": "deposit"', '"in": "deposit", "geld": "deposit"')
    mapping.write_text(text)
    assert "deposit" in pipshare("crm", "mapping", "test", "room", id_, "--mapping", mapping)
    said = pipshare("crm", "mapping", "publish", "room", mapping, "--note", "german")
    assert "version 2" in said
    assert "german" in pipshare("crm", "mapping", "show", "room", "--versions")
    done = pipshare("crm", "replay", "--endpoint", "room", "--problems")
    assert "2 new" in done or ("1 new" in done and "1 repeated" in done), done
    again = pipshare("crm", "replay", "--id", id_)
    assert "2 repeated" in again
    with pg.connect() as conn:
        row = conn.execute("SELECT count(*) FROM clients_event").fetchone()
    assert row == (2,)
    assert "No such payload" in pipshare("crm", "log", "--problems")


def test_the_log_tells_what_became_of_each_item(pipshare: Pipshare) -> None:
    pipshare("crm", "add", "room", "--preset", "trader-room")
    id_ = _send("room", ROOM)
    assert "to be settled" in pipshare("crm", "log")
    pipshare("crm", "replay", "--id", id_)
    shown = pipshare("crm", "log", "--id", id_)
    assert all(word in shown for word in ("user-4711", "pay-1", "registration", "4711", "new"))
    assert json.loads(pipshare("crm", "log", "--id", id_, "--body")) == ROOM
    (told,) = json.loads(pipshare("crm", "log", "--client", "4711", "--json"))
    assert told["id"] == id_
    (told,) = json.loads(pipshare("crm", "log", "--id", id_, "--json"))
    assert [one["event"] for one in told["results"]] == ["user-4711", "pay-1"]
    assert "no payload" in pipshare("crm", "log", "--id", "nothing", code=1)


def test_what_waits_for_a_client_is_listed(pipshare: Pipshare, tmp_path: Path) -> None:
    mapping = tmp_path / "claims.json"
    mapping.write_text(json.dumps({"format": 1, "name": "claims", "zone": "UTC", "rules": [
        {"name": "claim", "kind": "client.claimed", "fields": [
            {"field": name, "from": name} for name in ("event", "at", "client", "crm_field")]},
    ]}))  # fmt: skip
    pipshare("crm", "add", "claims", "--mapping", mapping)
    id_ = _send("claims", {"event": "c-1", "at": "2026-05-01T10:00:00Z", "client": "X-9",
                           "crm_field": "IB-1"})  # fmt: skip
    pipshare("crm", "replay", "--id", id_)
    shown = pipshare("crm", "waiting")
    assert all(word in shown for word in (id_, "client.claimed", "unknown_client", "X-9"))
    (told,) = json.loads(pipshare("crm", "waiting", "--json"))
    assert told["key"] == "X-9"


def test_what_cannot_be_replayed_is_said(pipshare: Pipshare) -> None:
    pipshare("crm", "add", "room", "--preset", "trader-room")
    assert "say what to replay" in pipshare("crm", "replay", code=1)
    assert "no payload" in pipshare("crm", "replay", "--id", "x", code=1)
    with pg.connect(autocommit=True) as conn:
        door = Doors(pg.connect).anew("room")
        assert door is not None
        made, _ = arrival(door, b"{", "application/json", at_ms=1_780_000_000_000, delivery="",
                          sender="", knows=is_known)  # fmt: skip
        id_ = take_payloads(conn, [made])[0].id
    assert "its sender has to mend it" in pipshare("crm", "replay", "--id", id_, code=1)
