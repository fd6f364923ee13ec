"""Headers, errors in plain words, static files, themes, reading: what every page rests on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import psycopg
import pytest

from pipshare import errors, web
from pipshare.web import Cell, Column, Table

POLICY = {
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'",
    "font-src 'self'", "connect-src 'self'", "form-action 'self'", "base-uri 'none'",
    "frame-ancestors 'none'",
}  # fmt: skip
INLINE = re.compile(
    r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:|(?:src|href|action)=.https?:"
)


@pytest.mark.parametrize("url", ["/sign-in/", "/account/", "/nothing", "/account/password/"])
def test_the_policy_is_strict_on_every_answer(client: Any, url: str) -> None:
    answer = client("auditor").get(url, follow=True)
    assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert not INLINE.search(answer.text)


def test_no_template_has_script_style_or_another_host_in_it(site: Any) -> None:
    found = sorted(Path(web.__file__).parents[1].glob("*/templates/**/*.html"))
    assert len(found) > 15
    for path in found:
        assert not INLINE.search(path.read_text()), path


def test_nothing_there_is_said_in_words(client: Any) -> None:
    answer = client().get("/no/such/page")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.text


def test_another_host_s_name_is_refused(client: Any) -> None:
    answer = client().get("/sign-in/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "could not be read" in answer.text


def test_a_role_s_limit_is_said_in_words(client: Any) -> None:
    from django.core.exceptions import PermissionDenied

    assert _failing(client, PermissionDenied("x"), 403) == "This page is not open to you"


def _failing(client: Any, error: Exception, status: int, monkeypatch: Any = None) -> str:
    """Return the heading of the page that an error in a view leads to."""
    from django.test import RequestFactory

    from pipshare.web.errors import ErrorPages, forbidden

    request = RequestFactory().get("/")
    answer = ErrorPages(lambda r: None).process_exception(request, error)  # type: ignore[arg-type,return-value]
    answer = answer or forbidden(request, error)
    assert answer.status_code == status
    heading = re.search("<h1>(.+?)</h1>", answer.content.decode())
    assert heading
    return heading[1]


def test_errors_of_the_core_become_pages(site: Any, client: Any) -> None:
    for error, status in (
        (errors.BadInput("x", "give a period such as 2026-11"), 400),
        (errors.Missing("x", "there is no partner Z"), 404),
        (errors.Conflict("x", "the period is closed"), 409),
        (errors.Unavailable("x", "the database does not answer"), 503),
        (psycopg.OperationalError("gone"), 503),
        (errors.BrokenBooks("x", "the books contradict themselves"), 500),
        (ZeroDivisionError(), 500),
    ):
        assert _failing(client, error, status)


def test_what_nobody_foresaw_has_a_reference_in_the_log(
    site: Any, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from django.test import RequestFactory

    from pipshare.web.errors import failed

    answer = failed(RequestFactory().get("/x"), ValueError("secret detail"))
    reference = re.search(r"<code>(\w{8})</code>", answer.content.decode())
    assert reference
    assert reference[1] in caplog.text
    assert "secret detail" in caplog.text
    assert b"secret detail" not in answer.content


def test_static_files_are_kept_and_their_addresses_change_with_them(client: Any) -> None:
    page = client().get("/sign-in/").text
    address = re.search(r'href="(/static/web/pipshare\.css\?v=\w{12})"', page)
    assert address
    sheet = client().get(address[1])
    assert sheet.status_code == 200
    assert "max-age=31536000" in sheet.headers["Cache-Control"]
    assert sheet.headers["X-Content-Type-Options"] == "nosniff"
    assert re.search(
        r'src="/static/django_htmx/htmx-2\.min\.js\?v=', client("auditor").get("/account/").text
    )


def test_the_theme_is_kept_in_a_cookie(client: Any) -> None:
    browser = client()
    answer = browser.post("/theme", {"theme": "dark", "next": "/sign-in/"})
    assert answer.headers["Location"] == "/sign-in/"
    assert 'data-theme="dark"' in browser.get("/sign-in/").text
    away = browser.post("/theme", {"theme": "x", "next": "https://evil.example/"})
    assert away.headers["Location"] == "/"
    assert browser.get("/theme").status_code == 405


def test_health_asks_the_database(client: Any) -> None:
    answer = client().get("/health")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_reading_cannot_write_and_sees_one_moment(site: Any) -> None:
    with web.reading() as conn:
        before = conn.execute("SELECT count(*) FROM audit_event").fetchone()
        with web.writing() as other:
            other.execute("INSERT INTO audit_event (actor, action, subject) VALUES ('a', 'b', 'c')")
        assert conn.execute("SELECT count(*) FROM audit_event").fetchone() == before
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("INSERT INTO audit_event (actor, action, subject) VALUES ('a', 'b', 'c')")
    with web.reading() as conn:
        assert conn.execute("SELECT count(*) FROM audit_event").fetchone() != before
        assert conn.execute("SELECT '{\"a\": 1}'::jsonb").fetchone() == ({"a": 1},)


def test_a_table_s_cells_are_texts_and_not_markup(site: Any) -> None:
    from django.template.loader import render_to_string

    table = Table(
        "Trades", [Column("Ticket", head=True), Column("Amount", number=True)],
        [[Cell("<b>1</b>", url="/trades/1"), "1.50 USD"]], foot=["", "1.50 USD"],
    )  # fmt: skip
    html = render_to_string("web/parts/table.html", {"table": table})
    assert "&lt;b&gt;1&lt;/b&gt;" in html
    assert 'data-label="Amount" class="number "' in html
    assert '<th scope="row" data-label="Ticket"' in html
