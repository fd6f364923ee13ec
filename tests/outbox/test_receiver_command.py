"""`pipshare receiver`: what an operator types, and what it says to mistakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from tests.outbox.conftest import replayed, settled
from tests.outbox.outbox_world import said, say
from tests.outbox.sink import Sink, reply

from pipshare import outbox

Run = Callable[..., str]


@pytest.fixture
def run(db: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the test's database; return what it printed."""
    from pipshare import settings
    from pipshare.cli.receivers import receiver_command

    opened = settings.load({"PIPSHARE_EGRESS_ALLOW": "127.0.0.0/8"}).egress_allow
    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, egress_allow=opened))

    def one(*words: str, fails: bool = False, types: str | None = None) -> str:
        ran = CliRunner().invoke(receiver_command, list(words), input=types)
        assert bool(ran.exit_code) == fails, ran.output
        return ran.output + (str(ran.exception) if fails else "")

    return one


def test_the_life_of_a_webhook(
    db: Any, run: Run, sinks: Callable[..., Sink], dispatching: Callable[..., Any]
) -> None:
    broken = [True]
    sink = sinks(lambda got: reply(404, b"who?") if broken else reply(200, b"thanks"))
    assert "no receiver yet" in run("list")
    told = run("add", "Our CRM", "--kind", "webhook", "--url", sink.url("/hook"),
               "--event", "trade", "--minimum", "10 usd", "--by", "ann")  # fmt: skip
    assert "whsec_" in told
    assert "Nobody delivers at this moment" in told
    dispatching()
    assert "404" in run("test", "our crm")
    with db.app() as conn:
        say(conn, said(1), said(2))
        conn.commit()
        settled(conn)
    told = run("dead", "Our CRM")
    assert told.count("answered 404") == 3
    broken.clear()
    assert "3 messages will be sent again" in run("replay", "Our CRM", "--by", "ann")
    with db.app() as conn:
        replayed(conn, 3)
        number = outbox.deliveries(conn)[0].id
    assert "There is none." in run("dead", "Our CRM")
    told = run("log", "Our CRM", "--delivery", str(number))
    assert "1. " in told
    assert "answer: who?" in told
    assert "2. " in told
    assert "answer: thanks" in told
    assert "whsec_" in run("rotate", "Our CRM")
    assert "stored sealed" in run("header", "Our CRM", "Authorization", types="Bearer 1\n")
    shown = run("show", "Our CRM")
    assert "trade.closed" in shown
    assert "Bearer" not in shown
    assert "paused" in run("pause", "Our CRM", "--reason", "move")
    assert "active" in run("resume", "Our CRM")
    assert "removed" in run("remove", "Our CRM")
    assert "no receiver yet" in run("list")


def test_a_postback_by_preset(db: Any, run: Run) -> None:
    told = run("add", "Ana Voluum", "--preset", "voluum", fails=True)
    assert '--fill "tracking domain=..."' in told
    told = run("add", "Ana Voluum", "--preset", "voluum", "--fill", "tracking domain=t.example",
               "--event", "registration", "--event", "reversal")  # fmt: skip
    assert "sub1={clickid}" in told
    with db.app() as conn:
        one = outbox.receiver(conn, "ana voluum")
    assert one.kind == "postback"
    assert one.settings["url"].startswith("https://t.example/postback?cid={sub1}")
    assert one.settings["events"] == [
        "client.registered", "commission.reversed", "deposit.reversed"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--kind", "postback", "--url", "https://t.example/?a={clickid}"], "clickid"),
        (["--kind", "postback", "--url", "t.example/?a={click_id}"], "no scheme"),
        (["--kind", "webhook", "--url", "https://t.example/" + "x" * 100_000], "characters long"),
        (["--kind", "webhook", "--url", "https://t.example/", "--event", "sale"], "is none of"),
        (["--kind", "webhook", "--url", "https://t.example/", "--partner", "NOBODY"], "NOBODY"),
        (["--url", "https://t.example/"], "--kind postback"),
        (["--kind", "webhook", "--url", "https://t.example/", "--minimum", "ten USD"], "amount"),
        (["--kind", "webhook", "--url", "https://t.example/", "--minimum", "100"], "no currency"),
        (
            ["--kind", "webhook", "--url", "https://t.example/", "--minimum", "1e9999999 USD"],
            "1e9999999",
        ),
        (["--preset", "voluum", "--fill", "tracking domain=https://t.example"], "https:// once"),
        (["--kind", "webhook", "--url", "https://t.example/", "--entity", "x"], "no entity"),
    ],
)
def test_mistakes_are_named(run: Run, words: list[str], says: str) -> None:
    assert says in run("add", "x", *words, fails=True)


def test_http_needs_an_opened_network(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipshare import settings

    monkeypatch.setattr(settings, "ENV", replace(settings.ENV, egress_allow=()))
    told = run("add", "x", "--kind", "webhook", "--url", "http://t.example/", fails=True)
    assert "PIPSHARE_EGRESS_ALLOW" in told


def test_a_request_in_a_systems_own_way(db: Any, run: Run, tmp_path: Any) -> None:
    body, by_type = tmp_path / "ib.json", tmp_path / "types.json"
    body.write_text('{"name": "{name}", "country": "=data.country"}')
    by_type.write_text(
        '{"ib.tier_changed": {"method": "PATCH", "url": "https://c.example/{crm_id}"}}'
    )
    words = ["add", "CRM", "--kind", "request", "--url", "https://c.example/ibs",
             "--body-file", str(body), "--by-type", str(by_type), "--answer-id", "id",
             "--source", "crm-a"]  # fmt: skip
    assert "events is empty" in run(*words, fails=True)
    assert "is set up" in run(*words, "--event", "ib.applied", "--event", "ib.tier_changed")
    assert "answer_id: id" in run("show", "CRM")
    by_type.write_text("[1]")
    assert "give an object of types" in run(*words, "--event", "ib.*", fails=True)
    by_type.write_text("{")
    assert "not valid JSON" in run(*words, "--event", "ib.*", fails=True)
