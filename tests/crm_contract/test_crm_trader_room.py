"""The recipe for trader rooms, as it is written: its commands, its code, its payloads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.crm_contract.contract_world import Broker, serving

PAGE = (Path(__file__).resolve().parents[2] / "docs/reference/trader-room.md").read_text()
SECRET = "of the room, and of nobody else"


@pytest.fixture
def broker(db: Any, tmp_path: Path) -> Iterator[Broker]:
    with serving(db.environment) as port, db.app() as conn:
        yield Broker(conn, tmp_path, port, "free")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _run(*words: str, given: str = "") -> str:
    from pipshare.cli.crm import crm_command

    done = CliRunner().invoke(crm_command, words, input=given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return str(done.output)


def test_the_recipe_holds_from_the_first_command_to_the_chargeback(
    broker: Broker, tmp_path: Path
) -> None:
    code: dict[str, Any] = {}
    exec(_blocks("python")[0], code)
    payload, rule = (json.loads(one) for one in _blocks("json"))

    def send(told: Any) -> dict[str, Any]:
        body, headers = code["signed"](SECRET, told)
        status, answer = broker.post("/hooks/room", body, headers)
        assert status == 200, answer
        broker.settle()
        found: dict[str, Any] = json.loads(answer)
        return found

    _run("add", "room", "--preset", "trader-room", "--ask-secret", given=f"{SECRET}\n{SECRET}\n")
    told = send(payload)
    assert [(one["verdict"], one.get("kind", "")) for one in told["items"]] == [
        ("mapped", "registration"), ("mapped", "kyc.changed"), ("mapped", "deposit"),
        ("problem", ""),
    ]  # fmt: skip
    assert "fee/inactivity" in told["items"][3]["detail"] or "fee" in told["items"][3]["detail"]
    assert broker.stands("IB-7") == {"accrued": 200}
    assert told["id"] in _run("log", "--endpoint", "room", "--problems")
    assert "fee" in _run("log", "--id", told["id"])

    mapping = json.loads(_run("mapping", "show", "room"))
    mapping["rules"].insert(-1, rule)
    (tmp_path / "room.json").write_text(json.dumps(mapping))
    _run("mapping", "publish", "room", str(tmp_path / "room.json"), "--note", "fees are left")
    _run("replay", "--endpoint", "room", "--problems")
    broker.settle()
    assert broker.events("4711") == 3
    assert told["id"] not in _run("log", "--endpoint", "room", "--problems")

    payload["payments"][0] |= {"state": "charged back", "changed": "10/04/2026 12:00"}
    assert [one["verdict"] for one in send(payload)["items"]] == [*["mapped"] * 3, "skipped"]
    assert broker.stands("IB-7") == {}


def test_each_way_that_the_recipe_names_is_there() -> None:
    for kind in ("sql", "folder"):
        assert f"--kind {kind}" in PAGE
    for link in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (Path(__file__).resolve().parents[2] / "docs/reference" / link).exists(), link
