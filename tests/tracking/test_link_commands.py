"""`pipshare landing`, `link` and `tracking`: what an operator types, and what he reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipshare import partners
from pipshare.cli.main import program
from pipshare.errors import PipshareError
from pipshare.facts.reading import read_table

Run = Callable[..., str]


@pytest.fixture
def run(db: Any) -> Run:
    """Run a command; return what it prints, raise what it raises."""
    with db.app() as conn:
        partners.load_partners(conn, read_table(b"partner\nP-1\nP-2", "partners")[0])

    def once(*words: str) -> str:
        done = CliRunner().invoke(program, list(words))
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    return once


def test_from_a_page_to_a_link_and_its_code_to_scan(run: Run, tmp_path: Path) -> None:
    assert "no landing page yet" in run("landing", "list")
    assert "lead here by default" in run("landing", "add", "home", "https://broker.example")
    run("landing", "add", "promo", "https://broker.example/promo?s={sub1}")
    assert "no link yet" in run("link", "list")
    said = run("link", "add", "P-1", "--code", "asia", "--campaign", "spring", "--landing", "promo")
    assert said == "http://127.0.0.1:8000/c/asia\n"
    assert "spring" in run("link", "list", "--partner", "P-1")
    assert "no link yet" in run("link", "list", "--partner", "P-2")
    for name, begin in (("code.svg", b"<?xml"), ("code.PNG", b"\x89PNG")):
        run("link", "qr", "asia", str(tmp_path / name))
        assert (tmp_path / name).read_bytes().startswith(begin)
    with pytest.raises(PipshareError, match=r"drawn as \.svg or \.png"):
        run("link", "qr", "asia", str(tmp_path / "code.gif"))
    assert "attributes nobody" in run("link", "archive", "asia")
    assert "archived" in run("link", "list", "--archived")
    run("landing", "default", "promo")
    assert "is archived" in run("landing", "archive", "home")
    assert "home" not in run("landing", "list")


def test_a_typed_code(run: Run) -> None:
    assert run("link", "typed", "P-1", "GOLD") == "GOLD stands for partner P-1.\n"
    with pytest.raises(PipshareError, match="choose another"):
        run("link", "typed", "P-2", "gold")
    assert run("link", "typed", "P-1", "GOLD", "--archive") == "GOLD stands for nobody.\n"


def test_settings_change_one_by_one(run: Run) -> None:
    assert "last click counts, within 90 days" in run("tracking", "show")
    run("tracking", "set", "--model", "first", "--qualified-amount", "100",
        "--qualified-currency", "USD")  # fmt: skip
    said = run("tracking", "set", "--window-days", "0", "--no-visitor-cookie")
    assert "first click counts, however long ago" in said
    assert "no cookie is set" in said
    assert "100 USD or more qualifies" in said
    run("tracking", "set", "--qualified-amount", "")
    held = json.loads(run("tracking", "show", "--json"))
    assert held == {"model": "first", "window_days": 0, "visitor_cookie": False,
                    "click_param": "click_id", "qualified_amount": "",
                    "qualified_currency": ""}  # fmt: skip
    with pytest.raises(PipshareError, match="no entity 'other'"):
        run("tracking", "show", "--entity", "other")
