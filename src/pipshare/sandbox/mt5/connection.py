"""One client's connection: requests in, answers out, the session between them."""

from __future__ import annotations

import json
import sys
import traceback
from typing import TYPE_CHECKING

from pipshare.sandbox.mt5 import admin, routes
from pipshare.sandbox.mt5.asked import Asked
from pipshare.sandbox.mt5.faults import BLOCKED, Fault, instead, spoil
from pipshare.sandbox.mt5.parameters import Parameters
from pipshare.sandbox.mt5.retcodes import ERROR, Refusal
from pipshare.sandbox.mt5.session import COOKIE, Manager, Session
from pipshare.sandbox.mt5.wire import Malformed, Reply, Request, Wire

if TYPE_CHECKING:
    from pipshare.sandbox.mt5.server import Mt5Server

DONE = b'{"retcode":"0 Done"}'
NO_PAGE = b"<html><head><title>404 Not Found</title></head><body>Not Found</body></html>"


class Connection:
    """Serves one connected socket until the client quits, goes, errs, or says nothing."""

    def __init__(self, server: Mt5Server, wire: Wire) -> None:
        self._server = server
        self._wire = wire
        self._session = Session(server.door)

    def serve(self) -> bool:
        """Answer request after request; return whether it ended in good order. Raises OSError."""
        clock, idle = self._server.door.clock, self._server.door.limits.idle_s
        heard = clock()
        try:
            while True:
                request = self._wire.read()
                before, heard = heard, clock()
                if request is None or heard - before > idle:
                    return True
                reply = self._reply(request)
                reply.close = reply.close or not request.keep_alive
                self._wire.write(reply)
                if reply.close:
                    return reply.send is None
        except TimeoutError:
            return True  # 180 s without a packet
        except Malformed as error:
            self._wire.write(Reply(str(error).encode(), error.status, "text/plain", close=True))
            return True
        finally:
            self._session.end()

    def _reply(self, request: Request) -> Reply:
        self._server.count(request.path)
        if self._server.admin and request.path.startswith("/sandbox/"):
            return admin.reply(self._server, request)
        faults = self._server.faults.take(request.path)
        reply = instead(faults)
        if reply is not None:
            if reply.status == 403:
                self._session.end(request.cookie(COOKIE))
        else:
            reply = spoil(faults, self._answer(request, faults))
        for fault in faults:
            if fault.kind == "delay":
                self._server.stopping.wait(fault.number())
        return reply

    def _answer(self, request: Request, faults: list[Fault]) -> Reply:
        try:
            given = Parameters.read(request.query, request.body)
            if request.path.startswith("/api/auth/"):
                return self._authenticate(request.path, given)
            manager = self._session.manager(request.cookie(COOKIE))
            if request.path == "/api/quit":
                self._session.end(request.cookie(COOKIE))
                return Reply(DONE, close=True)
            if manager is None:
                return Reply(BLOCKED, 403, "text/html")
            return self._call(request.path, given, manager, faults)
        except Refusal as refusal:
            return Reply(b'{"retcode":"%s"}' % refusal.retcode.encode())
        except Exception:
            traceback.print_exc(file=sys.stderr)  # a fault of the sandbox itself
            return Reply(b'{"retcode":"%d Common error"}' % ERROR)

    def _call(self, path: str, given: Parameters, manager: Manager, faults: list[Fault]) -> Reply:
        if path == "/api/test/access":
            return Reply(DONE)
        shift = sum(int(fault.number()) for fault in faults if fault.kind == "clock")
        limits = self._server.door.limits
        answer = routes.run(path, Asked(self._server.world, given, manager, limits.page, shift))
        if answer is None:
            return Reply(NO_PAGE, 404, "text/html")
        return Reply(b"".join((b'{"retcode":"0 Done","answer":', answer, b"}")))

    def _authenticate(self, path: str, given: Parameters) -> Reply:
        cookie = None
        if path == "/api/auth/start":
            fields = self._session.start(given)
        elif path == "/api/auth/answer":
            fields = self._session.answer(given)
            cookie = f"{COOKIE}={self._session.cookie}; Path=/; Secure; HttpOnly"
            self._server.count("signed in")
        else:
            return Reply(NO_PAGE, 404, "text/html")
        body = json.dumps({"retcode": "0 Done", **fields}, separators=(",", ":"))
        return Reply(body.encode(), cookie=cookie)
