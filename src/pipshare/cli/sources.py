"""`pipshare source`: set up what feeds an installation, check it, see how it fares, pause it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pipshare import db, inbox, outbox
from pipshare.cli.deletions import approve_deletions
from pipshare.cli.options import by_option, console, counted, json_option, table
from pipshare.errors import BadInput
from pipshare.inbox import SourceStatus
from pipshare.money import SCALE, parse_e8
from pipshare.people.rekey import rekey as rekey_factors
from pipshare.pipeline.feeds.check import check
from pipshare.pipeline.run import Run
from pipshare.pipeline.work.set_up import set_up

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True, resolve_path=True)
_code = click.argument("code")
_server = click.option("--server", required=True, help="Name of the trade server it feeds.")
_named = click.option(
    "--code", default="", help="Its short name; made of the server's if left out."
)
_MARKS = {"ok": "ok", "warning": "look", "fault": "FAULT"}


@click.group("source")
def source_command() -> None:
    """Set up what feeds an installation, check it, see how it fares."""


source_command.add_command(approve_deletions)


@source_command.group("add")
def add() -> None:
    """Set up a source; `pipshare work` polls it from then on."""


@add.command("mt5")
@_server
@_named
@click.option("--url", required=True, help="Address of the access server: https://host:443.")
@click.option("--login", required=True, type=click.IntRange(min=1), help="The manager's login.")
@click.option("--groups", default="*", show_default=True, help=r"Masks: real\*,!real\test*.")
@click.option("--ca", type=_FILE, help="Certificate (PEM) that signed the server's.")
@click.option("--fingerprint", help="SHA-256 of the server's certificate, instead of --ca.")
@click.option("--poll", default="1", show_default=True, metavar="SECONDS", help="How often to ask.")
@click.option("--set", "others", multiple=True, metavar="NAME=VALUE", help="Any other setting.")
@click.option("--password-file", type=_FILE, help="File with the API password; else it is asked.")
@by_option
def add_mt5(server: str, code: str, others: tuple[str, ...], password_file: Path | None, by: str,
            **given: Any) -> None:  # fmt: skip
    """Read an MT5 server over its Web API."""
    settings = {
        "url": given["url"], "login": str(given["login"]), "groups": given["groups"],
        "poll_s": given["poll"], "fingerprint": given["fingerprint"] or "",
        "ca_file": str(given["ca"] or ""), **dict(_pair(one) for one in others),
    }  # fmt: skip
    _add("mt5_web", server, {k: v for k, v in settings.items() if v}, code, by,
         _password(password_file))  # fmt: skip


@add.command("files")
@_server
@_named
@click.option("--dir", "folder", required=True, help="The folder that exports are put into.",
              type=click.Path(path_type=Path, file_okay=False, resolve_path=True))  # fmt: skip
@click.option("--no-file-after", metavar="HOURS", help="Alert when no file came for so long.")
@click.option(
    "--poll", default="2", show_default=True, metavar="SECONDS", help="How often to look."
)
@click.option("--mapping", type=_FILE, help="Mapping file (TOML) for other CSV and XML.")
@click.option("--encoding", help="Character encoding, when the files do not tell.")
@click.option("--trust", metavar="REASON", help="Book documents that a client can edit.")
@click.option("--accept-gap", is_flag=True, help="Import statements that do not add up.")
@click.option("--as-of-mtime", is_flag=True, help="A file's own time says when it was exported.")
@click.option("--login", type=click.IntRange(min=1), help="The account of files that name none.")
@by_option
def add_files(server: str, code: str, folder: Path, by: str, **given: Any) -> None:
    """Watch a folder of exports: finished files are taken, each once, and moved to done/."""
    settings = {
        "dir": str(folder), "poll_s": given["poll"],
        "no_file_after_s": _seconds(given["no_file_after"]), "mapping": str(given["mapping"] or ""),
        "encoding": given["encoding"] or "", "trust": given["trust"] or "",
        "accept_gap": "yes" if given["accept_gap"] else "",
        "as_of": "mtime" if given["as_of_mtime"] else "", "login": str(given["login"] or ""),
    }  # fmt: skip
    if not folder.is_dir():
        raise BadInput("no_folder", f"{folder} is no folder: create it first")
    _add("files", server, {k: v for k, v in settings.items() if v}, code, by, None)


@source_command.command("check")
@_code
@json_option
def check_source(code: str, as_json: bool) -> None:
    """Say in words what a source lacks; exit status 1 when something must be mended."""
    db.migrate()
    with db.connect() as conn:
        one = inbox.source(conn, code)
        run = Run(conn)
        conn.commit()
        found = check(run, one)
        conn.rollback()
        inbox.note_check(conn, one.id, [asdict(each) for each in found])
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False))
    else:
        for each in found:
            console.print(f"{_MARKS.get(each.level, each.level):>5}  {each.what}: {each.text}")
    if any(each.level == "fault" for each in found):
        raise SystemExit(1)


@source_command.command("status")
@json_option
def status(as_json: bool) -> None:
    """Say how each source fares, and what somebody has to look at."""
    db.migrate()
    with db.connect() as conn:
        found, alerts = inbox.statuses(conn), inbox.alerts(conn)
    if as_json:
        told = {"sources": [asdict(one) for one in found], "alerts": [asdict(a) for a in alerts]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    if not found:
        console.print("No source is set up: pipshare source add")
        return
    shown = table("Sources", "source", "kind", "state", "last news", "last ok", "trades",
                  "p50", "p99", right=(5, 6, 7))  # fmt: skip
    for one in found:
        lags = (one.lag_p50_ms, one.lag_p99_ms)
        shown.add_row(
            one.source.code, one.source.kind, _state(one), _ago(one.last_news_ms),
            _ago(one.last_ok_ms), str(one.trades),
            *("" if lag is None else f"{lag / 1000:.1f} s" for lag in lags),
        )  # fmt: skip
    console.print(shown)
    for one in found:
        if one.error:
            console.print(f"{one.source.code}: {one.error}")
        if one.gap_end_ms is not None:
            console.print(f"{one.source.code}: caught up with {counted(one.caught_up, 'trade')}"
                          f" after {_lasting(one.gap_ms // 1000)} without polls, which ended"
                          f" {_ago(one.gap_end_ms)}; p50 and p99 leave them out")  # fmt: skip
    for alert in alerts:
        times = f" ({counted(alert.count, 'time')})" if alert.count > 1 else ""
        console.print(f"alert {alert.code}, {alert.source or alert.server or 'all'}{times}:"
                      f" {alert.message}")  # fmt: skip


def _state_command(name: str, state: str, about: str, then: str) -> None:
    """Add the command that brings a source into a state."""

    @source_command.command(name, help=about)
    @_code
    @click.option("--reason", default="", help="Why.")
    @by_option
    def command(code: str, reason: str, by: str) -> None:
        db.migrate()
        with db.connect() as conn:
            inbox.set_state(conn, inbox.source(conn, code), state, by=by, reason=reason)
        console.print(f"{code} is {state}: {then}")


_state_command("pause", "paused", "Stop polling a source; what it brought stays.",
               "it is polled no more within a second")  # fmt: skip
_state_command("resume", "active", "Poll a paused source again, from where it stopped.",
               "`pipshare work` goes on where it stopped")  # fmt: skip
_state_command("remove", "removed", "Forget a source and its password; what it brought stays.",
               "its password is forgotten, what it brought stays")  # fmt: skip


@source_command.command("password")
@_code
@click.option("--password-file", type=_FILE, help="File with the password; else it is asked.")
@by_option
def password(code: str, password_file: Path | None, by: str) -> None:
    """Give a source another password."""
    with db.connect() as conn:
        inbox.set_secret(conn, inbox.source(conn, code), _password(password_file), by=by)
    console.print(f"{code}: the new password counts from the next connection")


@source_command.command("rekey")
def rekey() -> None:
    """Seal all secrets with the first of PIPSHARE_ENCRYPTION_KEYS: passwords, second factors."""
    db.migrate()
    with db.transaction() as conn:
        changed = inbox.rekey(conn) + rekey_factors(conn) + outbox.rekey(conn)
    console.print(f"{counted(changed, 'secret')} sealed anew with the first key")


def _add(kind: str, server: str, settings: dict[str, str], code: str, by: str,
         secret: str | None) -> None:  # fmt: skip
    db.migrate()
    with db.connect() as conn:
        one, note = set_up(conn, kind, server, settings, code=code, secret=secret, by=by)
    console.print(f"source {one.code} is set up"
                  f"; next: pipshare source check {one.code}, then pipshare work")  # fmt: skip
    if note:
        console.print(f"  {note}")


def _password(file: Path | None) -> str:
    """Return the password: from a file, the environment, or the terminal without echo."""
    if file is not None:
        return file.read_text().strip()
    given = os.environ.get("PIPSHARE_SOURCE_PASSWORD", "").strip()
    return given or str(click.prompt("Password", hide_input=True))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"{text!r} is no NAME=VALUE", param_hint="--set")
    return name.strip(), value.strip()


def _seconds(hours: str | None) -> str:
    if not hours:
        return ""
    try:
        seconds = int(parse_e8(hours) * 3600 // SCALE)
    except BadInput:
        seconds = 0
    if seconds <= 0:
        raise click.BadParameter(f"{hours!r} is no number of hours", param_hint="--no-file-after")
    return str(seconds)


def _state(one: SourceStatus) -> str:
    if one.source.state != "active":
        return one.source.state
    if one.error:
        return f"down since {_ago(one.outage_since_ms)}"
    return "working" if one.worked else "not worked: pipshare work"


def _ago(moment_ms: int | None) -> str:
    if moment_ms is None:
        return "never"
    return f"{_lasting(max(0, int(time.time() - moment_ms / 1000)))} ago"


def _lasting(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
