"""The HTTP server of the sandboxes: a thread for each caller, quiet when one hangs up."""

from __future__ import annotations

from http.server import ThreadingHTTPServer
from typing import Any


class LoopbackServer(ThreadingHTTPServer):
    """Takes many callers at once; those who hang up are a part of the play."""

    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing."""

    def serve_forever(self, poll_interval: float = 0.02) -> None:
        """Serve until `shutdown`, which waits for `poll_interval` seconds at most."""
        super().serve_forever(poll_interval)
