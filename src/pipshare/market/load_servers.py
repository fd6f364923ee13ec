"""Load trade servers: what a server is stays; clocks, endings and go-live are histories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare.db import Int4, Text, Timestamp, copy_in
from pipshare.errors import BadInput
from pipshare.facts import history
from pipshare.facts.fields import FIELDS
from pipshare.facts.lookup import look_up
from pipshare.facts.reading import LoadReport
from pipshare.facts.values import Refusal
from pipshare.market.authority import AUTHORITIES, propose_authority
from pipshare.market.go_live import propose_go_live, record_go_live
from pipshare.market.servers import Server, entities, servers
from pipshare.market.turn import take_turn
from pipshare.period import Clock

DEFAULTS = {field.name: field.default or "" for field in FIELDS["servers"]}
_INSERT = """
INSERT INTO market_server (code, entity_id, platform, authority) VALUES (%s, %s, %s, %s)
RETURNING id
"""
_SUFFIXES = "INSERT INTO market_suffixes (server_id, suffixes) VALUES (%s, %s)"
_CLOCKS = {"subject": pl.Int64, "from_ms": pl.Int64, "clock": pl.String}


def load_servers(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `servers` frame of read_table in the caller's transaction.

    Several rows of one server may tell clocks from different moments. Platform and entity of a
    known server cannot change: its facts were read by them. A changed go-live or authority is
    proposed. A dry run is the same, rolled back by the caller.
    """
    take_turn(conn)
    report = LoadReport("servers", rows=len(frame))
    known = {one.code: one.id for one in entities(conn).values()}
    frame, unknown = look_up(
        frame, "entity", known, "entity", "load it first with `pipshare load entities`"
    )
    report.refused += unknown
    frame, clocks = _clocks(conn, frame, report)
    verdicts = dict(clocks.rows.select("line", "verdict").iter_rows())
    refused: set[int] = {line for line in verdicts if verdicts[line] not in
                         (history.ADDED, history.CHANGED, history.SAME)}  # fmt: skip
    for row in frame.sort("server", "clock_from", "line").iter_rows(named=True):
        if row["line"] in refused:
            continue
        try:
            verdict = _load(conn, report, row, known["main"], by, reason)
        except BadInput as error:
            why = f"line {row['line']}, server {row['server']}: {error.message}"
            report.refused.append(Refusal(row["line"], error.code, why))
            refused.add(row["line"])
            continue
        _count(report, verdict, verdicts.get(row["line"], history.SAME))
    _store_clocks(conn, report, frame, clocks, refused)
    report.refused.sort(key=lambda one: one.line)
    return report


def _count(report: LoadReport, verdict: str, clock: str) -> None:
    if verdict == "proposed":
        return
    if verdict == history.SAME and clock != history.SAME:
        verdict = history.CHANGED
    setattr(report, verdict, getattr(report, verdict) + 1)


def _clocks(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, report: LoadReport
) -> tuple[pl.DataFrame, history.Merged]:
    """Compare clocks with those known. Returns the rows whose clock can be read; the merge."""
    named, faults = {}, {}
    for text in frame["clock"].drop_nulls().unique():
        try:
            named[text] = str(Clock.parse(text))
        except BadInput as error:
            faults[text] = error
    for line, code, text in frame.select("line", "server", "clock").iter_rows():
        if text in faults:
            why = f"line {line}, server {code}, field clock: {faults[text].message}"
            report.refused.append(Refusal(line, faults[text].code, why))
    frame = frame.filter(~pl.col("clock").is_in(list(faults)).fill_null(False))
    held = servers(conn)
    places = {one.code: place for place, one in enumerate(held)}
    for code in frame["server"].unique(maintain_order=True):
        places.setdefault(code, len(places))
    rows = [
        (places[one.code], since, str(clock)) for one in held for since, clock in one.clocks
    ]  # fmt: skip
    told = frame.with_columns(
        subject=frame["server"].replace_strict(places, return_dtype=pl.Int64),
        clock=frame["clock"].replace(named),
        from_ms=pl.col("clock_from"),
    ).filter(pl.col("clock").is_not_null() | ~pl.col("server").is_in([one.code for one in held]))
    merged = history.merge(
        pl.DataFrame(rows, schema=_CLOCKS, orient="row"), told, {"clock": DEFAULTS["clock"]}
    )
    part = LoadReport("servers")
    history.report(part, merged, lambda place: f"server {list(places)[place]}, field clock")
    report.refused += part.refused
    return frame, merged


def _store_clocks(
    conn: psycopg.Connection[Any], report: LoadReport, frame: pl.DataFrame,
    clocks: history.Merged, refused: set[int],
) -> None:  # fmt: skip
    ids = {one.code: one.id for one in servers(conn)}
    names = dict(frame.select("line", "server").iter_rows())
    records = clocks.records.filter(~pl.col("line").is_in(list(refused)))
    copy_in(conn, "market_server_clock", {
        "server_id": Int4(np.array([ids[names[line]] for line in records["line"]], np.int64)),
        "valid_from": Timestamp(records["from_ms"].to_numpy(), unbounded=True),
        "clock": Text(records["clock"]),
    })  # fmt: skip
    report.touch(clocks.from_ms if len(records) else None)


def _load(
    conn: psycopg.Connection[Any], report: LoadReport, row: Mapping[str, Any], main: int,
    by: str, reason: str,
) -> str:  # fmt: skip
    """Store what a row says besides the clock; return a verdict. Raises BadInput to refuse it."""
    held = {one.code: one for one in servers(conn)}.get(row["server"])
    if held is None:
        _insert(conn, row, main, by, reason)
        return history.ADDED
    _unchanged(conn, row, held)
    go_live, verdict = row["go_live"], history.SAME
    if go_live is not None and held.go_live_ms not in (None, go_live):
        report.proposed.append(propose_go_live(conn, held, go_live, by, reason))
        verdict = "proposed"
    elif go_live is not None and held.go_live_ms is None:
        record_go_live(conn, held.id, go_live, by, reason)
        report.touch(0)  # what was kept until now is booked, or becomes history
        verdict = history.CHANGED
    if row["authority"] not in (None, held.authority):
        report.proposed.append(propose_authority(conn, held, row["authority"], by, reason))
        verdict = "proposed"
    if row["suffixes"] is not None and _endings(row["suffixes"]) != held.suffixes:
        conn.execute(_SUFFIXES, (held.id, " ".join(_endings(row["suffixes"]))))
        report.touch(0)
        verdict = history.CHANGED if verdict == history.SAME else verdict
    return verdict


def _insert(
    conn: psycopg.Connection[Any], row: Mapping[str, Any], main: int, by: str, reason: str
) -> None:
    entity = main if row["entity_id"] is None else row["entity_id"]
    authority = row["authority"] or DEFAULTS["authority"]
    if authority not in AUTHORITIES:
        raise BadInput(
            "bad_authority", f"field authority: {authority!r} is none of {', '.join(AUTHORITIES)}"
        )
    found = conn.execute(_INSERT, (row["server"], entity, row["platform"], authority)).fetchone()
    assert found is not None
    conn.execute(_SUFFIXES, (found[0], " ".join(_endings(row["suffixes"] or ""))))
    if row["go_live"] is not None:
        record_go_live(conn, found[0], row["go_live"], by, reason)


def _endings(text: str) -> tuple[str, ...]:
    return () if text == "-" else tuple(dict.fromkeys(text.split()))


def _unchanged(conn: psycopg.Connection[Any], row: Mapping[str, Any], held: Server) -> None:
    was = {"platform": held.platform, "entity": entities(conn)[held.entity_id].code}
    for field, old in was.items():
        if row[field] is not None and row[field] != old:
            raise BadInput("fixed", (
                f"field {field}: is {old} and cannot become {row[field]}, because what the server "
                "sent was taken in by it; leave it as it is, or load a server of another name"
            ))  # fmt: skip
