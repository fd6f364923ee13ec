"""`pipshare sandbox`: servers of a broker in a box, to try pipshare, or any other client, with."""

from __future__ import annotations

import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import click

from pipshare import settings
from pipshare.cli.sandbox_crm import crm
from pipshare.cli.sandbox_process import end_on_signals, end_with_parent
from pipshare.errors import BadInput, Unavailable
from pipshare.sandbox.mt5 import KINDS, RIGHTS, Limits, Mt5Server
from pipshare.sandbox.mt5.world import Size, World
from pipshare.sandbox.tracker import DIALECTS, TrackerServer
from pipshare.sandbox.tracker import KINDS as TRACKER_FAULTS


@click.group("sandbox")
def sandbox_command() -> None:
    """A broker in a box: servers with invented clients and trades."""


sandbox_command.add_command(crm)


@sandbox_command.command("mt5")
@click.option("--port", default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where tickets, clock and certificate go on after a restart [PIPSHARE_DATA/sandbox-mt5].",
)
@click.option("--seed", default=7, show_default=True, help="Seed of the invented activity.")
@click.option(
    "--rate",
    type=click.FloatRange(0.001, 5_000),
    help="Closed trades a second, round the clock; left out: about 1, as a week goes.",
)
@click.option("--logins", default=3_000, show_default=True, type=click.IntRange(5, 1_000_000))
@click.option(
    "--history-days",
    default=3,
    show_default=True,
    type=click.IntRange(0, 3_650),
    help="Days of quiet activity behind the first start.",
)
@click.option("--manager", default=1000, show_default=True, help="Login of the manager account.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the manager's API password; left out: Password1.",
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(sorted(RIGHTS)),
    help="A right that the manager does not have.",
)
@click.option(
    "--fault",
    multiple=True,
    metavar="KIND[:path=P,times=N,value=V]",
    help=f"Do something wrong: {', '.join(KINDS)}. times=ever repeats it.",
)
@click.option(
    "--sessions",
    default="connection",
    show_default=True,
    type=click.Choice(["connection", "both", "cookie"]),
    help="What carries a session: the connection, it and the cookie, or the cookie alone.",
)
@click.option("--admin", is_flag=True, help="Open /sandbox/... for faults and mischief by URL.")
@click.option("--with-parent", is_flag=True, help="End when the program that started this ends.")
def mt5(
    port: int,
    folder: Path | None,
    seed: int,
    rate: float | None,
    logins: int,
    history_days: int,
    manager: int,
    password_file: Path | None,
    without: tuple[str, ...],
    fault: tuple[str, ...],
    sessions: str,
    admin: bool,
    with_parent: bool,
) -> None:
    """Serve the MetaTrader 5 Web API of an invented broker over TLS until Ctrl-C."""
    end_on_signals()
    if with_parent:
        end_with_parent()
    folder = folder or settings.ENV.data / "sandbox-mt5"
    size = Size(logins=logins, history_days=history_days)
    if rate is not None:
        size = replace(size, rate=rate, steady=True)
    password = _password(password_file)
    with closing(World(seed, size, folder=folder)) as world:
        server = Mt5Server(
            world,
            password=password,
            manager=manager,
            rights=RIGHTS - set(without),
            port=port,
            folder=folder,
            limits=Limits(sessions=sessions),
            admin=admin,
        )
        for wanted in fault:
            _add_fault(server, wanted)
        _serve(server, manager, password)


@sandbox_command.command("tracker")
@click.option("--port", default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="whsec_...",
    help="Secret of the webhooks that come; repeatable. Without one none is verified.",
)
@click.option("--with-parent", is_flag=True, help="End when the program that started this ends.")
def tracker(port: int, secrets: tuple[str, ...], with_parent: bool) -> None:
    """Receive postbacks and webhooks like a tracker, and show them, until Ctrl-C."""
    end_on_signals()
    if with_parent:
        end_with_parent()
    try:
        server = TrackerServer(port, secrets)
    except OSError as error:
        raise Unavailable("no_port", f"port {port} is taken: {error.strerror}") from error
    with server:
        click.echo(f"sandbox tracker on {server.url}/ (Ctrl-C ends it)")
        click.echo(f"postbacks at {server.url}/DIALECT/...: {', '.join(DIALECTS)}")
        click.echo(
            f"webhooks at {server.url}/webhook; add ?fail=KIND for a fault, as /webhook?fail=500:"
        )
        for kind, about in TRACKER_FAULTS.items():
            click.echo(f"  {kind:<12} {about}")
        click.echo("pipshare calls loopback only with PIPSHARE_EGRESS_ALLOW=127.0.0.0/8")
        sys.stdout.flush()
        threading.Event().wait()


def _serve(server: Mt5Server, manager: int, password: str) -> None:
    try:
        server.start()
    except OSError as error:
        raise Unavailable(
            "port_taken",
            f"port {server.port} on {server.host} cannot be opened: {error.strerror}; choose"
            " another --port",
        ) from None
    try:
        click.echo(
            f"sandbox mt5: {server.url} manager {manager} password {password}"
            f" certificate sha256 {server.fingerprint} (file {server.cert_file})"
        )
        threading.Event().wait()  # until a signal
    finally:
        server.stop()


def _password(file: Path | None) -> str:
    password = "Password1" if file is None else file.read_text(encoding="utf-8").strip()
    if not password:
        raise BadInput("no_password", f"{file} is empty: write the manager's API password into it")
    return password


def _add_fault(server: Mt5Server, wanted: str) -> None:
    kind, _, rest = wanted.partition(":")
    given = dict(part.partition("=")[::2] for part in rest.split(",") if part)
    times = given.pop("times", "1")
    try:
        server.faults.add(
            kind,
            given.pop("path", None),
            None if times == "ever" else int(times),
            given.pop("value", ""),
        )
    except ValueError as error:
        raise BadInput("bad_fault", f"--fault {wanted}: {error}") from None
    if given:
        raise BadInput("bad_fault", f"--fault {wanted}: no {', '.join(given)}; there are path,"
                                    " times and value")  # fmt: skip
