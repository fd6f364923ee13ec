"""May this file come in, and may it book? What is asked of a file before its first row is taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipshare.errors import BadInput
from pipshare.market import Server
from pipshare.money import format_e8
from pipshare.sources.reading import CLIENT, Chunk, Reading

JOURNAL = "journal"  # the format that names neither account nor platform


@dataclass(frozen=True)
class Order:
    """How a person wants files imported; see `pipshare import --help` for each option."""

    server: str
    by: str
    mapping: Path | None = None
    encoding: str | None = None
    trust: str = ""
    accept_gap: bool = False
    as_of_ms: int | None = None
    login: int | None = None  # the account of a file that names none


def check_platform(path: Path, reading: Reading, server: Server) -> None:
    """Raise BadInput when a file of one platform is brought to a server of the other."""
    told = reading.meta.platform if reading.meta.format != JOURNAL else ""  # it does not say
    if told and told != server.platform:
        hint = ""
        if reading.meta.format == "mapped":  # the header told it, or the mapping file
            hint = ("; a file with columns of its own is MT5's where it has the column position,"
                    " or where a mapping file says platform")  # fmt: skip
        raise BadInput(
            "wrong_platform",
            f"{path} comes from {told.upper()}, and server {server.code} is"
            f" {server.platform.upper()}: name the right server with --server{hint}",
        )


def may_book(reading: Reading, server: Server, order: Order) -> tuple[bool, str]:
    """Return whether the file's trades book, and if not, the sentence that says why."""
    if reading.meta.provenance == CLIENT and not order.trust:
        return False, (
            "a client can edit such a document, so it is compared and books nothing;"
            " to book it, say why it can be trusted: --trust REASON"
        )
    if server.authority != "files":
        return False, (
            f"trades of {server.code} come from {server.authority}; files are only compared"
        )
    return True, ""


def note(reading: Reading, server: Server, order: Order, booked: bool) -> str:
    """Return what a person should know before he wonders why nothing is earned; mostly empty."""
    if not booked:
        return ""
    if server.go_live_ms is None:
        return (
            f"{server.code} has no go-live: its trades are kept and nothing is booked; set one:"
            " `pipshare load servers` with a go_live"
        )
    if reading.meta.format == JOURNAL and order.login is None:
        return "a journal names no account: say whose it is with --login NUMBER"
    return ""


def gap(path: Path, reading: Reading, order: Order) -> int:
    """Return how far an MT4 statement's rows miss the P/L it prints; refuse it when they do."""
    printed = reading.meta.closed_pl_printed_e8
    if printed is None or reading.meta.format != "mt4_statement":
        return 0
    summed, refused = 0, []
    for chunk in reading.chunks():
        summed += _closed_pl(chunk)
        refused.extend(chunk.refused)
    if summed != printed and not order.accept_gap:
        rows = "".join(f"\n  line {r.line}: {r.reason}" for r in refused[:20])
        raise BadInput(
            "does_not_add_up",
            f"{path}: the closed rows sum to {format_e8(summed)}, the statement prints"
            f" {format_e8(printed)}; {format_e8(printed - summed)} is missing. Nothing was"
            f" imported; --accept-gap imports the rest.{rows}",
        )
    return printed - summed


def _closed_pl(chunk: Chunk) -> int:
    money = ("commission_e8", "fee_e8", "swap_e8", "profit_e8")
    rows = sum(int(chunk.trades[name].sum()) for name in money)
    return rows + chunk.compaction_pl_e8 + chunk.other_pl_e8
