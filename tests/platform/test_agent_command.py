"""`pipshare agent`: what is listed, and that a decision takes effect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner
from platform_world import FakeServer, at, groups, new_trade, standing, symbols, users

from pipshare.cli.agents import agent_command
from pipshare.cli.waiting import waiting_command
from pipshare.pipeline.feeds.state_mt5 import sync_state


@pytest.fixture
def world(templates: Any, tmp_path: Any) -> Any:
    with standing(templates, tmp_path) as made:
        told = FakeServer(users((5001, "a", "USD", 1, 8001)), groups(), symbols())
        sync_state(made.run, made.source, told, now_ms=at("2026-03-01"))
        new_trade(made, 1, "2026-03-02")
        yield made


def run(*arguments: str, command: Any = agent_command) -> str:
    done = CliRunner().invoke(command, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_listed_waited_for_and_decided(world: Any) -> None:
    listed = run("list")
    assert "the account's record names agent 8001" in listed
    assert "none yet: trades wait" in listed
    assert "Decide with `pipshare agent decide LOGIN" in listed
    assert "pipshare agent decide" in run("--reason", "native_agent", command=waiting_command)
    decided = run("decide", "5001", "--server", "Live", "--pay", "--reason", "no fee", "--by", "an")
    assert "1 account of Live: paid all the same." in decided
    assert "Taken up: 1 trade (1 introduced), 1 line." in decided
    (one,) = json.loads(run("list", "--json"))
    assert (one["login"], one["decision"], one["decided_by"]) == (5001, "pay", "an")
    assert run("list", "--undecided").startswith("No account has an agent")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(("5001",), "say --pay or --none"), (("--pay",), "name the accounts, or say --all"),
     (("--pay", "--all", "5001"), "name the accounts, or say --all")],
)  # fmt: skip
def test_half_a_command(world: Any, arguments: tuple[str, ...], sentence: str) -> None:
    words = ["decide", *arguments, "--server", "Live", "--reason", "r"]
    done = CliRunner().invoke(agent_command, words)
    assert (done.exit_code, sentence in done.output) == (2, True)


def test_all_at_once(world: Any) -> None:
    done = run("decide", "--all", "--none", "--server", "Live", "--reason", "MetaTrader pays")
    assert "1 account of Live: paid by the platform alone." in done
    assert "1 excluded" in done
