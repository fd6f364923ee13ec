"""`pipshare ib` and `pipshare agreement`: what an operator types, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from tests.onboarding.onboarding_world import SOFIA, World

from pipshare import partners

Run = Callable[..., str]


@pytest.fixture
def world(db: Any, tmp_path: Any) -> Any:
    """A broker, on a database of his own."""
    with db.app() as conn:
        yield World(conn, tmp_path)


@pytest.fixture
def run(db: Any) -> Run:
    """Run a command on the test's database; return what it printed."""
    from pipshare.cli.main import program

    def one(*words: str, fails: bool = False) -> str:
        ran = CliRunner().invoke(program, list(words))
        assert bool(ran.exit_code) == fails, ran.output + str(ran.exception)
        return ran.output + (str(ran.exception) if fails else "")

    return one


def test_from_agreement_to_partner(world: World, run: Run, tmp_path: Any) -> None:
    text = tmp_path / "agreement.txt"
    text.write_text("We pay. You behave.\n")
    assert "no agreement yet" in run("agreement", "list")
    told = run("agreement", "add", "partner", str(text), "--title", "IB agreement", "--by", "anna")
    assert "Version 1 of partner is published" in told
    assert "has this text" in run("agreement", "add", "partner", str(text), "--title",
                                  "IB agreement", fails=True)  # fmt: skip
    assert "No application waits" in run("ib", "applications")
    agreed = partners.agreement(world.conn, 1, "partner")
    one = world.apply(agreed=[agreed])
    world.conn.commit()
    number = str(one.id)
    assert "Sofia Marques" in run("ib", "applications")
    run("ib", "screen", number, "--note", "Licence seen.", "--by", "ben")
    shown = run("ib", "show", number)
    assert "ben: Licence seen." in shown
    assert f"from {SOFIA.address}, SHA-256 {agreed.digest}" in shown
    assert "did you mean MASTER" in run("ib", "approve", number, "--parent", "MASTR", fails=True)
    told = run("ib", "approve", number, "--programme", "standard-plan", "--tier", "gold")
    assert "partner IB-1" in told
    assert partners.partner(world.conn, "IB-1").name == "Marques Lda"
    shown = run("ib", "show", number)
    assert "partner: IB-1 Marques Lda" in shown
    assert "programme: standard-plan, card gold" in shown
    assert "is approved: it cannot become rejected" in run(
        "ib", "reject", number, "--reason", "late", fails=True)  # fmt: skip
    assert "accepted" in run("agreement", "show", "partner")
    assert " 1" in run("agreement", "list")
    text.write_text("We pay less.")
    run("agreement", "add", "partner", str(text), "--title", "IB agreement")
    told = run("ib", "accepted", number, "partner", "--name", "Sofia Marques", "--by", "anna")
    assert "version 2 (main) is recorded" in told
    run("ib", "erase", number, "--reason", "asked for")
    assert "Sofia" not in run("ib", "show", number)


def test_a_rejection_is_shown_with_its_reason(world: World, run: Run) -> None:
    number = str(world.apply().id)
    world.conn.commit()
    run("ib", "reject", number, "--reason", "no licence")
    assert "rejected: no licence" in run("ib", "show", number)
    assert "Sofia" in run("ib", "applications", "--state", "rejected")
    assert "no application 99" in run("ib", "show", "99", fails=True)
