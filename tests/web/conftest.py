"""A site on a database of its own, signed-in clients, a live server and a real browser.

    site         a migrated database per module, with Django set up on it
    person       person("finance") adds somebody with that role; person.password is his password.
                 He is exempt from the second factor, unless exempt=False
    client       client("finance") is Django's test client, signed in; client() is a stranger
    live_server  the application behind a real socket; live_server.url
    browser      Chromium; skips, and says why, where there is none
    open_page    open_page("/trades", role="finance", width=390) is a page in it, signed in

Pages that a test opens are checked at its end: no script error, nothing refused by the policy.
Screenshots go to the folder in SCREENSHOTS, else nowhere: `open_page.shoot(page, "name")`.

Two things would take most of the time, so they are not done anew for each test: a password is
hashed quickly (test_sign_in.py looks at what the settings say), and a page is wiped, not made.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
SHOTS = os.environ.pop("SCREENSHOTS", "")
PASSWORD = "correct horse battery"
QUICK = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}  # 0.06 ms; the usual takes 120


@pytest.fixture(scope="module")
def site(module_db: Any) -> Iterator[Any]:
    """The module's database, with Django on it; connections are closed before it goes."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipshare.settings")
    import django
    from django.apps import apps
    from django.contrib.auth.hashers import Argon2PasswordHasher
    from django.db import connections

    if not apps.ready:
        django.setup()
    from pipshare.web.reading import close

    connections.close_all()
    with patch.multiple(Argon2PasswordHasher, **QUICK):
        yield module_db
    close()
    connections.close_all()


@dataclass
class Persons:
    """Adds people; each call another one."""

    password: str = PASSWORD
    count: int = 0

    def __call__(self, role: str, *, email: str = "", **given: Any) -> Any:
        from pipshare import db as pg
        from pipshare.people import accounts
        from pipshare.people.models import User

        self.count += 1
        email = email or f"{role}{self.count}@broker.example"
        if role == "partner":
            given.setdefault("partner_code", "IB-1")
        given.setdefault("exempt", True)  # tests of the second factor say otherwise
        with pg.connect() as conn:
            accounts.add(conn, email, role, by="tests", password=self.password,
                         **{"must_change": False, **given})  # fmt: skip
        return User.objects.get(email=email)


@pytest.fixture(scope="module")
def person(site: Any) -> Persons:
    """Adds somebody with a role; `person.password` is everybody's password."""
    return Persons()


@pytest.fixture
def client(person: Persons) -> Callable[..., Any]:
    """Make test clients: signed in with a role or as a user, or a stranger."""
    from django.test import Client

    def make(who: Any = None, **options: Any) -> Any:
        made = Client(headers={"host": "localhost"}, raise_request_exception=False, **options)
        if who is not None:
            made.force_login(person(who) if isinstance(who, str) else who)
        return made

    return make


@dataclass(frozen=True)
class LiveServer:
    """The application behind a socket."""

    url: str


@pytest.fixture(scope="module")
def live_server(site: Any) -> Iterator[LiveServer]:
    """Serve the site on a free port, a thread per connection."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    from pipshare.wsgi import application

    class Silent(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadedWSGIServer(("127.0.0.1", 0), Silent)
    server.daemon_threads = True
    server.set_app(application)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield LiveServer(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Start Chromium once."""
    program = next((path for path in CHROMIUM if Path(path).exists()), None)
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium, then run again")
    playwright = pytest.importorskip("playwright.sync_api").sync_playwright().start()
    # Playwright keeps an event loop in this thread; Django must not take that for asynchronous use.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    started = playwright.chromium.launch(executable_path=program, args=FLAGS)
    yield started
    started.close()
    playwright.stop()


@dataclass
class Tabs:
    """Pages in contexts of their own. One that was given back is wiped and given out again: to
    start a process for it and fill its cache takes longer than most tests."""

    browser: Any
    idle: list[Any] = field(default_factory=list)

    def take(self) -> Any:
        """Return an empty page in a context of its own, which has no cookies."""
        if self.idle:
            return self.idle.pop()
        return self.browser.new_context(device_scale_factor=1).new_page()

    def give_back(self, page: Any, is_spoilt: bool = False) -> None:
        """Forget what a page was told and what it kept, or close it."""
        context = page.context
        if is_spoilt or len(self.idle) > 1 or len(context.pages) > 1:
            context.close()
            return
        page.evaluate("try { sessionStorage.clear(); localStorage.clear() } catch {}")
        context.clear_cookies()
        page.goto("about:blank")
        self.idle.append(page)


@pytest.fixture(scope="session")
def tabs(browser: Any) -> Tabs:
    """Pages for one test after another."""
    return Tabs(browser)


@dataclass
class Pages:
    """Opens pages in contexts of their own and listens for what goes wrong in them."""

    tabs: Tabs
    url: str
    person: Persons
    opened: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    spoilt: list[Any] = field(default_factory=list)  # pages that no other test may get

    def __call__(
        self, path: str, *, role: Any = None, width: int = 1280, scheme: str = "light"
    ) -> Any:
        """Open `path`, signed in with a role (or as a user), `width` px wide, light or dark."""
        page = self.tabs.take()
        self.screen(page, width, scheme)
        if role is not None:
            self.sign_in(page.context, role)
        hears = {
            "pageerror": lambda error: self.wrong.append(f"{page.url}: {error}"),
            "console": lambda said: self._hear(page, said),
        }
        for event, hear in hears.items():
            page.on(event, hear)
        self.opened.append((page, hears))
        page.goto(self.url + path)
        return page

    def close(self) -> None:
        """Give the pages back; none may have had an error or broken the policy."""
        for page, hears in self.opened:
            for event, hear in hears.items():
                page.remove_listener(event, hear)
            self.tabs.give_back(page, is_spoilt=page in self.spoilt)
        assert not self.wrong

    def screen(self, page: Any, width: int, scheme: str) -> None:
        """Show a page on another screen."""
        page.set_viewport_size({"width": width, "height": 844 if width < 600 else 800})
        page.emulate_media(color_scheme=scheme)

    def sign_in(self, context: Any, role: Any) -> None:
        """Give a browser's context the session of a role or a user."""
        from django.conf import settings
        from django.test import Client

        user = self.person(role) if isinstance(role, str) else role
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        value = client.cookies[name].value
        context.add_cookies([{"name": name, "value": value, "url": self.url}])

    def _hear(self, page: Any, said: Any) -> None:
        is_status = "Failed to load resource" in said.text and "status of 4" in said.text
        if said.type in ("error", "warning") and not is_status:
            self.wrong.append(f"{page.url}: {said.text}")

    def shoot(self, page: Any, name: str) -> None:
        """Keep a screenshot of the whole page, when somebody wants to look."""
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)

    def fits(self, page: Any) -> bool:
        """Whether nothing sticks out at the side."""
        return bool(page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        ))  # fmt: skip

    def sticks_out(self, page: Any, screens: Iterable[tuple[int, str]], name: str) -> list[str]:
        """Show a page on screens (width, scheme) and shoot it; say where something sticks out."""
        found = []
        for width, scheme in screens:
            self.screen(page, width, scheme)
            self.shoot(page, f"{name}_{width}_{scheme}")
            if not self.fits(page):
                found.append(f"{page.url} sticks out at {width} px, {scheme}")
        return found


@pytest.fixture
def open_page(tabs: Tabs, live_server: LiveServer, person: Persons) -> Iterator[Pages]:
    """Open pages; at the end, none of them may have had an error or broken the policy."""
    pages = Pages(tabs, live_server.url, person)
    yield pages
    pages.close()
