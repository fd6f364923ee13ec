"""`pipshare serve`: the console and the API over HTTP, in one process tree.

The process that starts serves nothing itself: it migrates, holds the embedded database open and
watches its workers. It must not compute with Polars before: a fork of Polars' threads would hang.
"""

from __future__ import annotations

import ctypes
import gc
import ipaddress
import os
import signal
import socket
import sys
import time
from typing import Any

import click

from pipshare import db, settings
from pipshare.errors import BadInput, Conflict, Unavailable

_PR_SET_PDEATHSIG = 1
TURN_S = 0.0005
PATIENCE_S = 1.0  # for the port of a server that is just ending


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535),
              help="Port to listen on; 0 takes a free one and says which.")  # fmt: skip
@click.option("--workers", default=min(2, os.cpu_count() or 1), show_default=True,
              type=click.IntRange(1, 64), help="Processes that serve.")  # fmt: skip
@click.option("--threads", default=16, show_default=True, type=click.IntRange(1, 64),
              help="Requests that each of them serves at a time.")  # fmt: skip
@click.option("--with-parent", is_flag=True, help="End when the process that started this ends.")
def serve_command(host: str, port: int, workers: int, threads: int, with_parent: bool) -> None:
    """Serve the console and the API until Ctrl-C or SIGTERM."""
    if with_parent:
        _end_with_parent()
    _refuse_the_world(host)
    _refuse_a_taken_port(host, port)
    db.migrate()
    db.target()  # makes this process a user of the embedded server, for as long as it lives
    _serve(_bind(host, port), workers, threads)


def _refuse_the_world(host: str) -> None:
    """Refuse to serve other machines without being told under which address."""
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    if not is_here and settings.ENV.url is None:
        raise BadInput(
            "no_url",
            f"serving on {host} needs PIPSHARE_URL, the address that people type (https://ib."
            "example.com): requests for any other are refused. Without it only this machine is"
            " served: leave --host away",
        )


def _refuse_a_taken_port(host: str, port: int) -> None:
    """Say at once that nothing can listen there: gunicorn tries for five seconds."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            family, kind, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, kind) as door:
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                door.bind(address)
                return
        except OSError:
            if time.monotonic() > end:
                raise _taken(_bind(host, port)) from None
            time.sleep(0.1)


def _taken(bind: str) -> Conflict:
    return Conflict("no_port", f"cannot listen on {bind}: another program may use it; choose"
                               " another with --port")  # fmt: skip


def _end_with_parent() -> None:
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(0)


def _bind(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _serve(bind: str, workers: int, threads: int) -> None:
    """Run gunicorn in this process; it forks the workers and returns by SystemExit."""
    from gunicorn.app.base import BaseApplication
    from gunicorn.arbiter import Arbiter
    from gunicorn.errors import HaltServer
    from gunicorn.util import import_app

    options = {
        "bind": bind,
        "worker_class": "gthread",
        "workers": workers,
        "threads": threads,
        "timeout": 60,
        "graceful_timeout": 10,
        "keepalive": 15,
        "loglevel": "warning",
        "control_socket_disable": True,
        "limit_request_line": 8190,  # links carry sub-ids and addresses
        "forwarded_allow_ips": "",  # Django reads the proxy's headers, if PIPSHARE_PROXIES says so
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,
        "proc_name": "pipshare",
        "post_worker_init": _say_ready,
    }

    class Server(BaseApplication):
        """gunicorn without its own command line and configuration file."""

        def load_config(self) -> None:
            for key, value in options.items():
                self.cfg.set(key, value)

        def load(self) -> Any:
            return import_app("pipshare.wsgi")

    try:
        Arbiter(Server()).run()
    except HaltServer:
        raise Unavailable(
            "no_worker", "the web server did not start: see the lines above"
        ) from None
    except SystemExit as end:
        if end.code == 1:
            raise _taken(bind) from None
        raise


def _say_ready(worker: Any) -> None:
    """Make a worker answer evenly, and say where, once the first one serves.

    By default a thread may compute for 5 ms while fifteen others have an answer to send, and all
    that was imported is looked through for garbage again and again: all wait for that.
    """
    sys.setswitchinterval(TURN_S)
    gc.collect()
    gc.freeze()
    if worker.age == 1:
        host, port = worker.sockets[0].getsockname()[:2]
        shown = settings.ENV.url or f"http://{f'[{host}]' if ':' in host else host}:{port}"
        click.echo(f"pipshare serves on {shown}/ (Ctrl-C ends it)")
        sys.stdout.flush()
