"""`pipshare tracker`, `pipshare postbacks` and `pipshare explain --client`, as they are typed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipshare import db as pg
from pipshare import inbox
from pipshare.pipeline import Run
from pipshare.pipeline.claims import settle_claims
from pipshare.pipeline.loads import load
from pipshare.pipeline.postbacks import Sent, take_postbacks
from pipshare.tracking.postback_fields import read_request, signature_of
from pipshare.tracking.postbacks import KINDS, Postback, postback_of
from pipshare.tracking.postbacks_url import example_url, url_of

NOW = 1_790_000_000_000
Pipshare = Callable[..., str]


@pytest.fixture
def pipshare(db: Any, cli: Any) -> Pipshare:
    """Run a command; return what it said, with another status than 0 on standard error."""

    def run(*arguments: str, code: int = 0) -> str:
        ran = cli(*arguments)
        assert ran.status == code, ran
        return str(ran.err if code else ran.out)

    return run


def _token(said: str) -> str:
    found = re.search(r"^pipt_\S+$", said, re.MULTILINE)
    assert found, said
    return found[0]


def _post(token: str, event: str, query: str) -> Any:
    sent = Sent(event, read_request(f"token={token}&{query}".encode(), None, ""), "::1", NOW)
    with pg.transaction() as conn:
        return take_postbacks(conn, [sent])[0]


def test_a_tracker_is_added_listed_shown_and_revoked(pipshare: Pipshare) -> None:
    said = pipshare("tracker", "add", "site", "--money", "deposit", "--allow", "203.0.113.0/24",
                    "--signed", "--by", "anna")  # fmt: skip
    token = _token(said)
    assert f"/s2s/registration?token={token}&client={{client}}&click_id=" in said
    secret = said.splitlines()[3]
    assert len(secret) == 43
    listed = pipshare("tracker", "list")
    assert all(word in listed for word in ("site", "main", "deposit", "203.0.113.0/24", "yes"))
    assert token not in listed
    urls = pipshare("tracker", "url", "site")
    assert all(f"/s2s/{event}?token=TOKEN" in urls for event in KINDS)
    assert urls.count("&sig={sig}") == len(KINDS)
    pipshare("tracker", "revoke", "site", "--by", "anna", "--reason", "leaked")
    assert "revoked" in pipshare("tracker", "list")
    assert _post(token, "registration", "client=C-1").status == 401


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "Site"), "small letters"),
        (("add", "site", "--allow", "10.0.0.0/99"), "no address or network"),
        (("add", "site", "--money", "reversal"), "deposit or a withdrawal"),
        (("add", "site", "--entity", "elsewhere"), "no entity"),
        (("revoke", "site"), "no tracker 'site' is in use"),
        (("url", "site"), "there is no tracker 'site'"),
    ],
)
def test_what_cannot_be_set_up_is_said(
    pipshare: Pipshare, arguments: tuple[str, ...], words: str
) -> None:
    assert words in pipshare("tracker", *arguments, code=1)


def test_the_log_and_the_explanation(pipshare: Pipshare, tmp_path: Path) -> None:
    token = _token(pipshare("tracker", "add", "site", "--by", "anna"))
    with pg.connect() as conn:
        run = Run(conn)
        path = tmp_path / "partners.csv"
        path.write_text("partner,parent\nP-1,\nP-2,P-1\nP-3,\n")
        load(run, "partners", path, by="anna")
        assert "did you mean" not in pipshare("explain", "--client", "C-1", code=1)
        first = _post(token, "registration", "client=C-1&partner=P-2&click_id=none")
        assert (first.verdict, first.reason) == ("accepted", "unknown_click")
        settle_claims(run)
        again = _post(token, "registration", "client=C-1&partner=P-3&txid=again")
        assert again.reason == "client_of_another_partner"
        _post(token, "reversal", "txid=9&reference=none&client=C-1")
        settle_claims(run)
    said = pipshare("explain", "--client", "C-1")
    assert said.startswith("C-1 belongs to P-2 since 20")
    assert "the partner code P-2 was told by postback" in said
    assert "P-2 -> P-1" in said
    assert re.match(r"C-1 belongs to P-2 since \d{4}-\d\d-\d\d \d\d:\d\d UTC: ", said)
    assert not re.search(r"\d:\d\d:\d\d|\+00|infinity", said)
    assert "refused: nobody clicked under this id" in said
    assert "client_of_another_partner" in said
    assert "unknown_reference" in said
    told = json.loads(pipshare("explain", "--client", "C-1", "--json"))
    assert [one["decision"] for one in told["claims"]] == ["attributed", "refused"]
    assert [level["partner"] for level in told["chain"]] == ["P-2", "P-1"]
    assert told["refused"][0]["id"] == again.id
    log = pipshare("postbacks", "--client", "C-1")
    assert log.count("registration") == 2
    (one,) = json.loads(pipshare("postbacks", "--id", first.id, "--json"))
    assert (one["verdict"], one["outcome"]) == ("accepted", "attributed")
    assert "No such postback" in pipshare("postbacks", "--reason", "other_currency")


def test_a_client_of_nobody_and_one_who_was_loaded(pipshare: Pipshare, tmp_path: Path) -> None:
    with pg.connect() as conn:
        for kind, text in (("partners", "partner\nP-1\n"),
                           ("clients", "client,partner\nC-1,P-1\nC-2,direct\nC-3,\n")):  # fmt: skip
            path = tmp_path / f"{kind}.csv"
            path.write_text(text)
            load(Run(conn), kind, path, by="anna")
    assert "C-1 belongs to P-1 from ever on: recorded by anna" in pipshare(
        "explain", "--client", "C-1"
    )
    assert "C-2 is direct" in pipshare("explain", "--client", "C-2")
    assert "belongs to nobody yet" in pipshare("explain", "--client", "C-3")
    assert "did you mean C-1" in pipshare("explain", "--client", "c-1", code=1)


@pytest.mark.parametrize("event", KINDS)
def test_the_examples_are_postbacks_and_unfilled_placeholders_are_named(event: str) -> None:
    base = "https://ib.example"
    query = example_url(base, event, "T").partition("?")[2].encode()
    assert isinstance(postback_of(event, read_request(query, None, ""), NOW), Postback)
    unfilled = url_of(base, event, "T").partition("?")[2].encode()
    fault = read_request(unfilled, None, "").fault
    assert fault is not None
    assert fault.code == "unfilled"


def test_signing_secrets_are_sealed_anew_with_the_others(
    pipshare: Pipshare, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = "a" * 40, "b" * 40
    monkeypatch.setattr("pipshare.settings.encryption_keys", lambda env: (first,))
    pipshare("tracker", "add", "site", "--signed", "--by", "anna")
    monkeypatch.setattr("pipshare.settings.encryption_keys", lambda env: (second, first))
    with pg.transaction() as conn:
        secret = inbox.tracker(conn, "site").signing_secret()
        assert inbox.rekey(conn) == 1
        assert inbox.rekey(conn) == 0
    monkeypatch.setattr("pipshare.settings.encryption_keys", lambda env: (second,))
    with pg.connect() as conn:
        assert inbox.tracker(conn, "site").signing_secret() == secret
    assert secret
    assert signature_of(secret, b"x")
