"""One TLS connection = one session of the Web API, signed in by both sides' proof.

The server ties a session to its connection, so this never re-connects by itself: whoever holds it
opens a new one. One request at a time. Cookies are carried, too (some servers set one).
"""

from __future__ import annotations

import http.client
import secrets
import ssl
import time
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urlencode

from pipshare.errors import Unavailable
from pipshare.sources.mt5_web import answer, certificate, handshake, retcodes
from pipshare.sources.mt5_web.answer import Answer
from pipshare.sources.mt5_web.certificate import Certificate
from pipshare.sources.mt5_web.config import Config
from pipshare.sources.mt5_web.errors import Garbled, NotGenuine, Overrun, Refused
from pipshare.sources.mt5_web.lost import Forbidden, Lost, lost

PIECE = 2**18
# A body that drips in byte by byte keeps no time-out of the socket; this many times it ends it.
PATIENCE = 4


class Connection:
    """One session. `open` before anything else; after any error it is closed."""

    def __init__(
        self, config: Config, *, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self.config = config
        self.version = ""
        self.certificate = Certificate("", "", 0)
        self.used_at = 0.0  # monotonic seconds of the last answer
        self._random = random
        self._http: http.client.HTTPSConnection | None = None
        self._cookies: SimpleCookie = SimpleCookie()
        self._where = f"{config.host}:{config.port}"

    @property
    def is_open(self) -> bool:
        """Whether a session stands, as far as this side knows."""
        return self._http is not None

    def open(self) -> None:
        """Connect, check the certificate, sign in, and have the server prove itself.

        Raises WrongCertificate, WrongPassword, NotAllowed, NotGenuine, or Unavailable.
        """
        self.close()
        try:
            self._connect()
            self._sign_in()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Drop the connection without a word."""
        if self._http is not None:
            self._http.close()
            self._http = None
        self._cookies.clear()

    def quit(self) -> None:
        """Sign out, if the server still listens, and close."""
        try:
            if self._http is not None:
                self.get("/api/quit")
        except (Unavailable, Refused):
            pass
        finally:
            self.close()

    def ping(self) -> None:
        """Keep the session alive. Raises Unavailable when it is gone."""
        self.get("/api/test/access")

    def get(self, path: str, limit: int | None = None, /, **params: object) -> Answer:
        """Ask one command and return its whole answer, whatever its retcode says.

        Raises Lost when the connection fails, Forbidden (403) when the session has ended, Garbled,
        Overrun when the answer has more than `limit` bytes (the connection is closed then).
        """
        if self._http is None:
            raise Lost(f"the session with {self._where} is closed")
        query = urlencode(params, quote_via=quote, safe="*,!")
        target = f"{self.config.base}{path}" + (f"?{query}" if query else "")
        try:
            self._http.request("GET", target, headers=self._headers())
            response = self._http.getresponse()
            body = self._body(response, limit)
            self._keep_cookies(response)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise lost(error, f"{self._where}{path}") from error
        except Overrun:
            self.close()
            raise
        self.used_at = time.monotonic()
        if response.will_close:
            self.close()
        return self._taken(response, body, f"{self._where}{path}")

    def _connect(self) -> None:
        made = http.client.HTTPSConnection(
            self.config.host, self.config.port, timeout=self.config.timeout_s,
            context=certificate.context(self.config),
        )  # fmt: skip
        made.auto_open = 0  # a new socket would be a new, unsigned session
        try:
            made.connect()
        except ssl.SSLCertVerificationError as error:
            raise certificate.explained(self.config, error) from error
        except OSError as error:
            raise lost(error, self._where) from error
        self._http = made
        assert isinstance(made.sock, ssl.SSLSocket)
        self.certificate = certificate.seen(made.sock.getpeercert(binary_form=True) or b"")
        certificate.check_pin(self.config, self.certificate)

    def _sign_in(self) -> None:
        config, key = self.config, handshake.password_key(self.config.password)
        started = self.get(
            "/api/auth/start", version=handshake.VERSION, agent=config.agent, login=config.login,
            type="manager",
        )  # fmt: skip
        self._accepted(started)
        challenge = str(answer.value(started, whole=True).get("srv_rand", ""))
        try:
            theirs = bytes.fromhex(challenge)
        except ValueError:
            theirs = b""
        if len(theirs) != handshake.CHALLENGE_BYTES:
            raise Garbled(f"{self._where} gave no challenge to sign in with ({challenge[:40]!r})")
        ours = self._random(handshake.CHALLENGE_BYTES)
        answered = self.get(
            "/api/auth/answer", srv_rand_answer=handshake.proof(key, theirs), cli_rand=ours.hex()
        )
        self._accepted(answered)
        told = answer.value(answered, whole=True)
        if not handshake.proves(key, ours, str(told.get("cli_rand_answer", ""))):
            raise NotGenuine(
                f"{self._where} could not prove that it knows the password of manager "
                f"{config.login}: it is not the MT5 server, or somebody is in between. Nothing "
                "was read from it"
            )
        self.version = str(told.get("version_access", ""))

    def _accepted(self, told: Answer) -> None:
        code = retcodes.NO_SUCH_LOGIN if told.code == retcodes.NOT_FOUND else told.code
        if error := retcodes.fault(code, told.text, "to sign in", self.config.login):
            raise error

    def _headers(self) -> dict[str, str]:
        headers = {
            "Connection": "keep-alive",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": self.config.agent,
        }
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{k}={m.value}" for k, m in self._cookies.items())
        return headers

    def _keep_cookies(self, response: http.client.HTTPResponse) -> None:
        for told in response.headers.get_all("Set-Cookie") or []:
            try:
                self._cookies.load(told)
            except CookieError:
                continue

    def _body(self, response: http.client.HTTPResponse, limit: int | None) -> bytes:
        declared, pieces, size = response.length, [], 0
        most = limit if limit is not None and response.status == 200 else self.config.answer_limit
        if declared is not None and declared > most:
            raise Overrun
        ends = time.monotonic() + PATIENCE * self.config.timeout_s
        while piece := response.read(PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > most:
                raise Overrun
            if time.monotonic() > ends:
                raise TimeoutError(f"only {size} bytes of the answer came")
        if declared is not None and size != declared:
            raise http.client.IncompleteRead(b"", declared - size)
        return b"".join(pieces)

    def _taken(self, response: http.client.HTTPResponse, body: bytes, where: str) -> Answer:
        status = response.status
        if status == 200:
            try:
                return answer.read(body, where, response.headers.get("Content-Type", "").lower())
            except Garbled:
                self.close()
                raise
        self.close()
        if status == 403:
            raise Forbidden(
                f"{where} answers 403: it has ended the session or does not let this machine in "
                "(address list of the manager, too many attempts, or maintenance)"
            )
        if status in (404, 405, 501):
            raise Refused(
                f"{where} is not known there (HTTP {status}): is the Web API enabled on this "
                "access server, and its build recent?",
                retcodes.UNSUPPORTED,
            )
        if 300 <= status < 400:
            raise Garbled(f"{where} sends us elsewhere (HTTP {status}): give the address itself")
        raise Unavailable("mt5_http", f"{where} fails (HTTP {status} {response.reason})")
