"""The shared pages in a real browser: signing in by hand, 390 to 1280 px, light and dark, keys."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.web.totp import totp

WIDTHS = (390, 768, 1280)


@pytest.fixture
def gallery(site: Any) -> Iterator[None]:
    """Put a page with every shared part, and five rooms, into the site."""
    import tests.web.gallery  # noqa: F401 - now: the console puts its rooms into the menu, too
    from django.test import override_settings

    from pipshare.web import rooms

    before = list(rooms._rooms)
    with override_settings(ROOT_URLCONF="tests.web.gallery"):
        rooms._rooms[:] = [
            rooms.Room(name, "gallery" if name == "Overview" else "profile", "overview.see")
            for name in ("Overview", "Trades", "Partners", "Programmes", "Sources")
        ]
        yield
    rooms._rooms[:] = before


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_fits(gallery: None, open_page: Any, width: int, scheme: str) -> None:
    page = open_page("/gallery", role="admin", width=width, scheme=scheme)
    assert page.title() == "Gallery · pipshare"
    assert open_page.fits(page)
    assert page.locator("h1").count() == 1
    open_page.shoot(page, f"gallery-{width}-{scheme}")
    if width < 960:
        page.locator("summary").click()
        page.get_by_role("link", name="Sources").wait_for()
        assert page.get_by_role("button", name="Sign out").is_visible()
        open_page.shoot(page, f"menu-{width}-{scheme}")
    else:
        assert page.locator(".side [aria-current=page]").is_visible()


def test_a_row_is_a_card_on_a_telephone(gallery: None, open_page: Any) -> None:
    page = open_page("/gallery", role="admin", width=390)
    cell = page.locator("tbody tr").first.locator("td").nth(2)
    label = cell.evaluate("c => getComputedStyle(c, '::before').content")
    assert label == '"Symbol"'
    assert not page.locator("thead").is_visible()


def test_text_can_be_read(gallery: None, open_page: Any) -> None:
    """Contrast of ordinary, soft and toned text against what is behind it: 4.5 to 1 (WCAG AA)."""
    page = open_page("/gallery", role="admin")
    for scheme in ("light", "dark"):
        open_page.screen(page, 1280, scheme)
        for which in ("h1", ".stat .label", ".stat small", ".badge.good", ".badge.warn", "td small",
                      ".alert.bad strong", "button.main", "thead th", "tbody a", ".help, .said",
                      ".side [aria-current=page]"):  # fmt: skip
            ratio = page.locator(which).first.evaluate(_CONTRAST)
            assert ratio >= 4.5, (scheme, which, ratio)


_CONTRAST = """element => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92
    : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  let behind = element;
  while (rgba(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
    .map(c => light(rgba(c).slice(0, 3))).sort((x, y) => y - x);
  return (a + .05) / (b + .05);
}"""


def test_keys_alone_reach_the_content(gallery: None, open_page: Any) -> None:
    page = open_page("/gallery", role="admin")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["y"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_htmx_is_there_and_obeys_the_policy(gallery: None, open_page: Any) -> None:
    page = open_page("/gallery", role="admin")
    config = page.evaluate(
        "[htmx.version, htmx.config.allowEval, htmx.config.includeIndicatorStyles]"
    )
    assert config[0].startswith("2.")
    assert config[1:] == [False, False]
    page.evaluate("htmx.ajax('GET', '/account/', {target: 'pre.raw', select: 'dl.facts'})")
    page.locator("pre.raw dl.facts").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_sign_in_second_factor_and_out(open_page: Any, person: Any, scheme: str) -> None:
    user = person("finance", name="Frida Finance")
    page = open_page("/account/", width=390 if scheme == "dark" else 1280, scheme=scheme)
    open_page.shoot(page, f"sign-in-{scheme}")
    _fill(page, user.email, "wrong horse battery")
    page.get_by_text("is not right").wait_for()
    open_page.shoot(page, f"sign-in-refused-{scheme}")
    _fill(page, user.email, person.password)
    page.get_by_role("heading", name="Your account").wait_for()
    open_page.shoot(page, f"profile-{scheme}")
    page.get_by_role("link", name="Switch it on").click()
    open_page.shoot(page, f"confirm-{scheme}")
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Or type the key yourself").click()
    secret = page.locator("#secret").inner_text()
    assert page.locator(".qr svg").bounding_box()["width"] > 150
    open_page.shoot(page, f"enrol-{scheme}")
    page.get_by_label("Code", exact=True).fill(totp(secret, time.time()))
    page.get_by_role("button", name="Switch on").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()
    assert len(re.findall(r"\b\d{8}\b", page.locator(".codes").inner_text())) == 10
    open_page.shoot(page, f"codes-{scheme}")
    with page.expect_navigation():
        page.get_by_role("link", name="Done").click()
    page.goto(f"{open_page.url}/account/")
    if scheme == "dark":
        page.locator("summary").click()
    page.locator("button:visible", has_text="Sign out").click()
    _fill(page, user.email, person.password)
    page.get_by_role("heading", name="Enter your code").wait_for()
    open_page.shoot(page, f"code-{scheme}")
    page.get_by_label("Code").fill(totp(secret, time.time() + 30))
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url(lambda url: "/sign-in/" not in url)


def _fill(page: Any, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_the_theme_switch_works_without_script(open_page: Any) -> None:
    page = open_page("/account/", role="auditor")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("button:visible", has_text="Dark").click()
    page.locator("html[data-theme=dark]").wait_for()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    assert page.url.endswith("/account/")


def test_error_and_password_pages(open_page: Any, person: Any) -> None:
    page = open_page("/no/such/page", role="auditor", width=390)
    assert page.get_by_role("heading").inner_text() == "There is nothing at this address"
    open_page.shoot(page, "error-404")
    page = open_page("/", role=person("auditor", must_change=True))
    page.get_by_role("heading", name="Choose a password of your own").wait_for()
    open_page.shoot(page, "password")


def test_what_the_policy_refuses_is_seen_by_these_tests(open_page: Any) -> None:
    """The net itself: an inline script and a foreign picture are refused, and counted."""
    page = open_page("/account/", role="auditor")
    page.evaluate("document.body.appendChild(Object.assign(document.createElement('script'),"
                  " {textContent: 'window.hurt = 1'}))")  # fmt: skip
    page.evaluate("document.body.appendChild(Object.assign(document.createElement('img'),"
                  " {src: 'https://evil.example/x.png'}))")  # fmt: skip
    page.wait_for_function("document.images.length > 1")
    assert page.evaluate("window.hurt") is None
    assert any("Content Security Policy" in said for said in open_page.wrong)
    open_page.wrong.clear()
