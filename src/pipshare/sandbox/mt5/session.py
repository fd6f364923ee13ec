"""The manager's session: challenge, mutual answer, and what belongs to one connection."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipshare.sandbox.mt5 import retcodes
from pipshare.sandbox.mt5.parameters import Parameters
from pipshare.sandbox.mt5.retcodes import Refusal

VERSION = "1290"
OLDEST_CLIENT = 484
COOKIE = "SessionID"

# What a manager account may be allowed to do: orders, accounts, personal data, balance operations.
RIGHTS = frozenset({"trades", "accounts", "personal", "accountant"})


@dataclass(frozen=True)
class Limits:
    """The server's limits. `sessions` says what carries a session.

    "connection" is the documentation's: the TCP connection; the cookie is given, and a wrong one
    is refused. "both" wants the cookie back as well. "cookie" lets it open the session on any
    connection, as some servers are reported to do (and as a script of single curl calls needs).
    """

    challenge_s: float = 10.0
    idle_s: float = 180.0
    page: int = 100
    sessions: str = "connection"


@dataclass
class Manager:
    """A manager account: its API password and its rights."""

    login: int
    password: str
    rights: frozenset[str] = RIGHTS


@dataclass
class Door:
    """What all connections of a server share: managers, limits, open cookies, time, randomness."""

    managers: dict[int, Manager]
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = time.monotonic
    srv_rand: Callable[[], bytes] = lambda: secrets.token_bytes(16)
    cookies: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def password_hash(password: str) -> bytes:
    """Return MD5(MD5(password in UTF-16LE) + "WebAPI"), raw."""
    inner = hashlib.md5(password.encode("utf-16-le"), usedforsecurity=False).digest()
    return hashlib.md5(inner + b"WebAPI", usedforsecurity=False).digest()


def answer_to(rand: bytes, password: str) -> str:
    """Return the answer to a challenge, of either side: hex MD5(H + rand)."""
    mixed = password_hash(password) + rand
    return hashlib.md5(mixed, usedforsecurity=False).hexdigest()


class Session:
    """The state of one connection: nobody, challenged, or a manager."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._challenge: tuple[Manager, bytes, float] | None = None
        self._login: int | None = None
        self.cookie: str | None = None

    def start(self, given: Parameters) -> dict[str, str]:
        """Answer auth/start. Raises Refusal."""
        self.end()
        agent = given.word("agent")
        if " " in agent:
            raise Refusal(retcodes.BAD_PARAMETERS)
        if given.whole("version") < OLDEST_CLIENT:
            raise Refusal(retcodes.AUTH_CLIENT_OLD)
        if given.word("type") != "manager":
            raise Refusal(retcodes.AUTH_MANAGER_TYPE)
        manager = self._door.managers.get(given.whole("login"))
        if manager is None:
            raise Refusal(retcodes.AUTH_ACCOUNT_UNKNOWN)
        rand = self._door.srv_rand()
        self._challenge = (manager, rand, self._door.clock())
        return {"version_access": VERSION, "srv_rand": rand.hex()}

    def answer(self, given: Parameters) -> dict[str, str]:
        """Answer auth/answer; from here on the connection is the manager's. Raises Refusal."""
        challenge, self._challenge = self._challenge, None  # one try for one challenge
        theirs, cli_rand = given.word("srv_rand_answer"), _sixteen_bytes(given.word("cli_rand"))
        if challenge is None:
            raise Refusal(retcodes.AUTH_ACCOUNT_INVALID)
        manager, rand, at = challenge
        if self._door.clock() - at > self._door.limits.challenge_s:
            raise Refusal(retcodes.TIMEOUT)
        wanted = answer_to(rand, manager.password)
        if not hmac.compare_digest(theirs.lower().encode(), wanted.encode()):
            raise Refusal(retcodes.AUTH_ACCOUNT_INVALID)
        self._login = manager.login
        self.cookie = secrets.token_hex(16)
        with self._door.lock:
            self._door.cookies[self.cookie] = manager.login
        mine = answer_to(cli_rand, manager.password)
        return {"version_access": VERSION, "version_trade": VERSION, "cli_rand_answer": mine}

    def manager(self, cookie: str | None) -> Manager | None:
        """Return who asks, given the cookie that came along; None: nobody (HTTP 403)."""
        sessions = self._door.limits.sessions
        if sessions == "cookie":
            with self._door.lock:
                login = self._door.cookies.get(cookie or "", self._login)
        elif (cookie is None and sessions != "both") or cookie == self.cookie:
            login = self._login
        else:
            login = None
        return None if login is None else self._door.managers.get(login)

    def end(self, cookie: str | None = None) -> None:
        """Forget who was here, as quit, a new auth/start, and an ended connection do."""
        self._challenge = self._login = None
        if self._door.limits.sessions != "cookie" or cookie is not None:
            with self._door.lock:
                self._door.cookies.pop(cookie or self.cookie or "", None)
        self.cookie = None


def _sixteen_bytes(word: str) -> bytes:
    try:
        found = bytes.fromhex(word)
    except ValueError:
        raise Refusal(retcodes.BAD_PARAMETERS) from None
    if len(found) != 16:
        raise Refusal(retcodes.BAD_PARAMETERS)
    return found
