"""Take in events of clients: what is new is stored, what is known changes nothing.

One way in for files and for the API. Whoever settles commissions learns from clients_touched, in
the same transaction, whose may be others now.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import polars as pl
import psycopg

from pipshare.clients.settle_events import settle_events
from pipshare.clients.stage import numbers, take_turn
from pipshare.db import Int4, Int8, Text, Timestamp, copy_in, ms, read_columns
from pipshare.facts.events import EVENT, LATER, UNCOUNTED, checked
from pipshare.facts.lookup import look_up, refuse
from pipshare.facts.reading import LoadReport

AHEAD_MS = 10 * 60 * 1000  # two machines' clocks differ; what is further ahead has not happened
NEW, REVISED, OLDER, REPEATED = "new", "revised", "older", "repeated"
_ENTITIES = "SELECT code, id FROM market_entity"
_STAGE = "CREATE TEMP TABLE clients_event_stage (source text, event text) ON COMMIT DROP"
_KNOWN = f"""
SELECT e.source, e.event, e.version, {ms("e.at")}, e.content
  FROM clients_event_stage s JOIN clients_event e USING (source, event)
"""
_KNOWN_SCHEMA = {"source": pl.String, "event": pl.String, "version": pl.Int64, "at_ms": pl.Int64,
                 "content": pl.Int64}  # fmt: skip
_COUNTED = tuple(name for name in EVENT if name not in (*UNCOUNTED, *LATER))
_MOMENTS = {"at_ms": "at", "cleared_ms": "cleared_at", "expires_ms": "expires_at",
            "effective_ms": "effective_at"}  # fmt: skip
_UNBOUNDED = ("expires_ms", "effective_ms")  # 0 = not told
_IDENTITY = ("source", "event")
_KEY = pl.col(*_IDENTITY)
_SAME = (*_IDENTITY, "content")
_VERDICTS = {"row": pl.UInt32, "verdict": pl.String}
_ESCAPED = r"[^ !#-\[\]-~]"  # what JSON writes in another way than it is
Identity = tuple[str, str]


@dataclass(frozen=True)
class TakenEvents:
    """What became of events: the report, and what was done with each row that is right.

    `verdicts`: line, verdict (NEW; REVISED: other content that holds now; OLDER: other content
    over which a newer one holds; REPEATED) and waits: what the event waits for, "" = nothing.
    """

    report: LoadReport
    verdicts: pl.DataFrame


def take_events(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str, now_ms: int | None = None
) -> TakenEvents:
    """Take in the `events` frame of read_table, in the caller's transaction, which must not book.

    `now_ms`: no event is later than this, by AHEAD_MS at most; by default the time of the call.
    """
    take_turn(conn)
    report = LoadReport("events", rows=len(frame))
    events = _right(conn, frame, report, now_ms)
    events = _judged(conn, events)
    fresh = events.filter(pl.col("verdict") != REPEATED)
    fresh = fresh.with_columns(id=numbers(conn, "clients_event", len(fresh)))
    _store(conn, fresh, by)
    waiting = settle_events(conn, fresh["id"].to_list())
    _count(report, events["verdict"], waiting)
    rows = fresh.filter(pl.col("id").is_in(list(waiting)))
    lines = {line: waiting[id_] for id_, line in rows.select("id", "line").iter_rows()}
    waits = pl.col("line").replace_strict(lines, default="", return_dtype=pl.String)
    return TakenEvents(
        report, events.select("line", "verdict", waits=waits if lines else pl.lit(""))
    )


def load_events(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, *, by: str = "", reason: str = "",
    dry_run: bool = False,
) -> LoadReport:  # fmt: skip
    """Load the `events` frame of read_table in the caller's transaction."""
    return take_events(conn, frame, by=by).report


def _right(
    conn: psycopg.Connection[Any], frame: pl.DataFrame, report: LoadReport, now_ms: int | None
) -> pl.DataFrame:
    events, refused = checked(frame)
    entities = dict(conn.execute(_ENTITIES).fetchall())
    events, unknown = look_up(
        events, "entity", entities, "entity", "load it first with `pipshare load entities`"
    )
    latest = (time.time_ns() // 1_000_000 if now_ms is None else now_ms) + AHEAD_MS
    events, early = refuse(
        events, pl.col("at_ms") > latest, "in_the_future",
        "field at: it has not happened yet; check the zone that the sender writes",
    )  # fmt: skip
    report.refused = sorted(refused + unknown + early, key=lambda one: one.line)
    return events


def _judged(conn: psycopg.Connection[Any], events: pl.DataFrame) -> pl.DataFrame:
    """Add `content` and `verdict`; a file may tell several contents of one event."""
    conn.execute("DROP TABLE IF EXISTS pg_temp.clients_event_stage")
    conn.execute(_STAGE)
    keys = events.select("source", "event").unique()
    columns = {"source": Text(keys["source"]), "event": Text(keys["event"])}
    copy_in(conn, "clients_event_stage", columns)
    conn.execute("ANALYZE clients_event_stage")
    known = read_columns(conn, _KNOWN, schema=_KNOWN_SCHEMA).with_columns(_KEY.fill_null(""))
    events = events.with_columns(content=_contents(events)).with_row_index("row")
    repeated = events.select("row", *_SAME).join(known, on=_SAME, how="semi")["row"]
    fresh = events.select("row", *_SAME, "version", "at_ms").filter(
        ~pl.col("row").is_in(repeated.implode())
    )
    # Most events are told once, and nobody knew of them.
    fresh = fresh.with_columns(alone=pl.len().over(_IDENTITY) == 1)
    others = pl.concat([
        fresh.filter(~pl.col("alone")),
        fresh.filter("alone").join(known, on=_IDENTITY, how="semi"),
    ])  # fmt: skip
    told = pl.concat([_verdicts(others.sort("row"), known), pl.DataFrame(
        {"row": repeated, "verdict": [REPEATED] * len(repeated)}, schema=_VERDICTS
    )])  # fmt: skip
    events = events.join(told, on="row", how="left", maintain_order="left").drop("row")
    return events.with_columns(pl.col("verdict").fill_null(NEW))


def _verdicts(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return `row` and `verdict` of rows (_SAME, version, at_ms), one after the other."""
    seen: set[tuple[Identity, int]] = set()
    held: dict[Identity, tuple[int, int]] = {}
    known = known.join(rows, on=_IDENTITY, how="semi")
    for source, event, version, at_ms, content in known.iter_rows():
        key = (source, event)
        seen.add((key, content))
        held[key] = max(held.get(key, (version, at_ms)), (version, at_ms))
    verdicts = []
    columns = rows.select(*_SAME, "version", "at_ms")
    for source, event, content, version, at_ms in columns.iter_rows():
        key, rank = (source, event), (version, at_ms)
        if (key, content) in seen:
            verdicts.append(REPEATED)
            continue
        verdicts.append(NEW if key not in held else REVISED if rank >= held[key] else OLDER)
        held[key] = max(held.get(key, rank), rank)
        seen.add((key, content))
    return pl.DataFrame({"row": rows["row"], "verdict": verdicts}, schema=_VERDICTS)


def _contents(events: pl.DataFrame) -> pl.Series:
    """Return the fingerprint of each event: _content of its row, the text put together at once."""
    texts = [name for name in _COUNTED if EVENT[name] == pl.String]
    plain = pl.all_horizontal(
        *(~pl.col(name).str.contains(_ESCAPED) for name in texts),
        *(pl.col(name) == ("" if EVENT[name] == pl.String else 0) for name in LATER),
    )
    values = [pl.format('"{}"', name) if name in texts else pl.col(name).cast(pl.String)
              for name in _COUNTED]  # fmt: skip
    told = pl.format("[{}]", pl.concat_str(values, separator=","))
    found = events.select(told=pl.when(plain).then(told))["told"]  # null where one is null, too
    digests = b"".join(_digest(text) if text is not None else bytes(8) for text in found)
    contents = np.frombuffer(digests, ">i8").astype(np.int64)
    for row in found.is_null().arg_true():
        contents[row] = _content(events.row(row, named=True))
    return pl.Series("content", contents)


def _content(row: Mapping[str, Any]) -> int:
    """Return a fingerprint of all that an event says, the same on every machine for ever."""
    values: list[Any] = [row[name] for name in _COUNTED]
    if later := {name: row[name] for name in LATER if row[name]}:
        values.append(later)
    told = json.dumps(values, separators=(",", ":"))
    return int.from_bytes(_digest(told), "big", signed=True)


def _digest(told: str) -> bytes:
    return blake2b(told.encode(), digest_size=8).digest()


def _count(report: LoadReport, verdicts: pl.Series, waiting: Mapping[int, str]) -> None:
    told = Counter(verdicts.to_list())
    report.added, report.same = told[NEW], told[REPEATED]
    report.changed = told[REVISED] + told[OLDER]
    if waiting:
        one = "1 event waits" if len(waiting) == 1 else f"{len(waiting)} events wait"
        report.notes.append(f"{one} for a client, an account or an event that is not known yet")


def _store(conn: psycopg.Connection[Any], rows: pl.DataFrame, by: str) -> None:
    columns: dict[str, Any] = {
        "id": Int8(rows["id"].to_numpy()),
        "entity_id": Int4(rows["entity_id"].to_numpy()),
        "content": Int8(rows["content"].to_numpy()),
        "recorded_by": Text(pl.Series([by] * len(rows), dtype=pl.String)),
    }
    for name, type_ in EVENT.items():
        if name in _MOMENTS:
            columns[_MOMENTS[name]] = Timestamp(rows[name].to_numpy(), unbounded=name in _UNBOUNDED)
        elif name not in ("entity", "line"):
            column = rows[name]
            columns[name] = Text(column) if type_ == pl.String else Int8(column.to_numpy())
    copy_in(conn, "clients_event", columns)
