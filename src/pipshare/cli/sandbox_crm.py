"""`pipshare sandbox crm`: an invented broker's CRM, with a partner API and signed webhooks."""

from __future__ import annotations

import binascii
import sys
import threading
from zoneinfo import ZoneInfoNotFoundError

import click

from pipshare.cli.sandbox_process import end_on_signals, end_with_parent
from pipshare.errors import BadInput, Unavailable
from pipshare.sandbox.crm import (
    ANSWERS,
    APIS,
    PLOTS,
    SENDING,
    Cast,
    CrmServer,
    Fault,
    Options,
    Partner,
)


@click.command("crm")
@click.option("--port", default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--seed", default=7, show_default=True, help="Seed of the invented clients.")
@click.option(
    "--first",
    default=70_001,
    show_default=True,
    type=click.IntRange(1, 9_999_999),
    help="Number of the first client; after a restart choose one not used yet.",
)
@click.option(
    "--at-once",
    default=len(PLOTS),
    show_default=True,
    type=click.IntRange(0, 100_000),
    help="Clients who come at the start: the first ones show one story each.",
)
@click.option(
    "--every",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Seconds between later ones; 0 = nobody more comes.",
)
@click.option(
    "--day",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.001, 86_400),
    help="Seconds that a day of a client's story takes; 86400 is life.",
)
@click.option(
    "--days-ago",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 3_650),
    help="Date the beginning so long ago; nothing is dated in the future.",
)
@click.option(
    "--affiliates",
    default="111,112,330",
    show_default=True,
    help="Affiliate numbers in the clients' tags; empty = no tags.",
)
@click.option(
    "--untagged",
    default=0.1,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of clients without a tag.",
)
@click.option("--coins", default="USD,EUR", show_default=True, help="Currencies of accounts.")
@click.option("--zone", default="UTC", show_default=True, help="Zone of the API's dates.")
@click.option("--user", default="partner", show_default=True, help="User of the API.")
@click.option("--password", default="Password1", show_default=True, help="Its password.")
@click.option(
    "--end-exclusive", is_flag=True, help="Leave the day of endDate out of what the API answers."
)
@click.option("--hooks", default="", metavar="URL", help="Where webhooks go; else they wait.")
@click.option("--secret", default="", metavar="whsec_...", help="Secret that signs them.")
@click.option(
    "--ib-secret",
    "ib_secrets",
    multiple=True,
    metavar="whsec_...",
    help="Secret of webhooks that come to /ib; repeatable. Without one none is verified.",
)
@click.option(
    "--fault",
    "wanted",
    multiple=True,
    metavar="KIND[:path=P,times=N,value=V]",
    help="Do something wrong, in answers or in sending; times=ever repeats it.",
)
@click.option("--with-parent", is_flag=True, help="End when the program that started this ends.")
def crm(
    port: int,
    seed: int,
    first: int,
    at_once: int,
    every: float,
    day: float,
    days_ago: float,
    affiliates: str,
    untagged: float,
    coins: str,
    zone: str,
    user: str,
    password: str,
    end_exclusive: bool,
    hooks: str,
    secret: str,
    ib_secrets: tuple[str, ...],
    wanted: tuple[str, ...],
    with_parent: bool,
) -> None:
    """Serve a CRM with invented clients until Ctrl-C.

    Registrations, accounts, deposits and withdrawals are read from a partner API as CurrentDesk's
    looks. Reversals, chargebacks, KYC, bonuses, failed payouts, re-assignments, duplicates and
    merges are told by signed webhooks. POST /ib takes applications of introducing brokers.
    """
    end_on_signals()
    if with_parent:
        end_with_parent()
    cast = Cast(
        seed, first, at_once, every, affiliates=_listed(affiliates), coins=_listed(coins),
        untagged=untagged,
    )  # fmt: skip
    if not cast.coins:
        raise BadInput("no_coin", "--coins names no currency")
    options = Options(
        cast, day, days_ago, zone, Partner(user, password, not end_exclusive), hooks, secret,
        ib_secrets,
    )  # fmt: skip
    with _server(port, options) as server:
        for one in wanted:
            fault = _fault(one)
            (server.courier.faults if fault.sends else server.faults).add(fault)
        _say(server, user, password)
        threading.Event().wait()


def _server(port: int, options: Options) -> CrmServer:
    try:
        return CrmServer(port, options)
    except OSError as error:
        raise Unavailable("no_port", f"port {port} is taken: {error.strerror}") from error
    except ZoneInfoNotFoundError:
        raise BadInput("bad_zone", f"--zone {options.zone} is no zone such as UTC or"
                                   " Europe/Nicosia") from None  # fmt: skip
    except binascii.Error:
        raise BadInput("bad_secret", "--secret is not base64 behind whsec_") from None
    except ValueError as error:
        raise BadInput("bad_hooks", f"--hooks: {error}") from None


def _say(server: CrmServer, user: str, password: str) -> None:
    click.echo(f"sandbox crm on {server.url}/ (Ctrl-C ends it)")
    click.echo(f"partner API at {server.url}/api/ user {user} password {password}: "
               + ", ".join(APIS))  # fmt: skip
    click.echo(f"applications at {server.url}/ib; what may be let happen is told on the page")
    click.echo("faults of answers, and of what is sent (--fault, or POST /control/fault):")
    for kind, about in {**ANSWERS, **SENDING}.items():
        click.echo(f"  {kind:<14} {about}")
    click.echo("pipshare calls loopback only with PIPSHARE_EGRESS_ALLOW=127.0.0.0/8")
    sys.stdout.flush()


def _fault(text: str) -> Fault:
    kind, _, rest = text.partition(":")
    given = dict(part.partition("=")[::2] for part in rest.split(",") if part)
    times = given.pop("times", "1")
    try:
        return Fault(kind, times=-1 if times == "ever" else int(times), **given)
    except (TypeError, ValueError) as error:
        raise BadInput("bad_fault", f"--fault {text}: {error}") from None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text.split(",") if one.strip())
