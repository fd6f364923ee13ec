"""Measure everything in one run: `python -m benchmarks`, or `make bench`.

At full size it takes about a quarter of an hour and 5 GB of disk, for which it uses a folder of its
own. Turn other programs off: ratios bear a noisy machine better than rates do, but not well.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import tempfile
from pathlib import Path

from benchmarks import (
    clicks,
    close_to_posted,
    crm_events,
    crm_hooks,
    families,
    file_to_booked,
    html_parse,
    memory,
    one_by_one,
    outgoing,
    postbacks,
    rate_and_post,
    rating_only,
    rerate,
)
from benchmarks.databases import Databases
from benchmarks.exports import write_files
from benchmarks.racing import Race, Result, as_json, show
from benchmarks.world import Size, make_world

NAMES = ("file", "post", "one", "live", "rating", "families", "html", "memory", "rerate", "clicks",
         "postbacks", "outgoing", "crm")  # fmt: skip


def main(arguments: list[str] | None = None) -> list[Result]:
    """Run what is asked for and print it; returns the results."""
    options = _parser().parse_args(arguments)
    wanted = options.only or NAMES
    results: list[Result] = []
    races: dict[str, Race] = {}
    if {"file", "post", "one", "memory", "rerate"} & set(wanted):
        _with_database(options, wanted, results, races)
    if "live" in wanted:
        _say("close to posted")
        found, races["live"] = close_to_posted.measure(
            options.live_rate, options.live_seconds, tuple(options.burst), _say
        )
        results += found
    if "rating" in wanted:
        _say("rating only")
        found, races["rating"] = rating_only.measure(options.trades, options.rounds, _say)
        results += found
    if "families" in wanted:
        _say("families of plans")
        found, races["families"] = families.measure(options.trades, options.rounds, _say)
        results += found
    if "html" in wanted:
        _say("HTML statement")
        found, races["html"] = html_parse.measure(options.rounds, _say)
        results += found
    if "clicks" in wanted:
        _say("clicks")
        found, races["clicks"] = clicks.measure(options.rounds, options.click_seconds, _say)
        results += found
    if "postbacks" in wanted:
        _say("postbacks in")
        found, races["postbacks"] = postbacks.measure(options.rounds, options.click_seconds, _say)
        results += found
    if "outgoing" in wanted:
        _say("webhooks out")
        found, races["outgoing"] = outgoing.measure(options.rounds, options.messages, _say)
        results += found
    if "crm" in wanted:
        _say("CRMs in")
        found, races["crm"] = crm_hooks.measure(
            options.rounds, options.click_seconds, options.batches, _say
        )
        results += found
        results += crm_events.measure(options.events, _say)
    heading = f"{options.trades:,} trades, medians of {options.rounds}, {os.cpu_count()} cores"
    show(results, heading)
    if options.json:
        told = {"trades": options.trades, "rounds": options.rounds, "cores": os.cpu_count(),
                "machine": platform.machine(), "python": platform.python_version()}  # fmt: skip
        options.json.write_text(json.dumps({**told, **as_json(results, races)}, indent=1) + "\n")
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--trades", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5, help="medians are of so many")
    parser.add_argument("--only", action="append", choices=NAMES, help="may be given again")
    parser.add_argument("--logins", type=int, default=100_000)
    parser.add_argument("--partners", type=int, default=5_000)
    parser.add_argument("--programmes", type=int, default=5)
    parser.add_argument("--cards", type=int, default=6, help="per programme, 1,200 rates each")
    parser.add_argument("--naive", type=int, default=400, help="trades for the naive script")
    parser.add_argument("--single", type=int, default=4_000, help="trades sent one by one")
    parser.add_argument("--live-rate", type=float, default=300, help="closes a second")
    parser.add_argument("--live-seconds", type=int, default=60)
    parser.add_argument(
        "--burst",
        type=int,
        nargs=2,
        default=(5_000, 60),
        metavar=("RATE", "S"),
        help="closes a second, for so many seconds",
    )
    parser.add_argument(
        "--click-seconds", type=float, default=8, help="of each load of clicks or postbacks"
    )
    parser.add_argument("--messages", type=int, default=20_000, help="webhooks sent in a round")
    parser.add_argument("--batches", type=int, default=500, help="of a hundred events as lines")
    parser.add_argument("--events", type=int, default=1_000_000, help="in a file")
    parser.add_argument("--long", action="store_true", help="memory at ten times the trades, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--folder", type=Path, help="on a real disk; default: for temporary files")
    return parser


def _with_database(
    options: argparse.Namespace, wanted: list[str], results: list[Result], races: dict[str, Race]
) -> None:
    """Measure what needs a server: one for all, deleted at the end; the broker's files stay."""
    base = options.folder or Path(tempfile.gettempdir()) / f"pipshare-bench-{os.getuid()}"
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    _say(f"making the broker and its files in {base}")
    size = Size(options.trades, options.logins, options.partners, options.programmes,
                options.cards)  # fmt: skip
    broker = make_world(size)
    files = write_files(broker, base)
    folder = Path(tempfile.mkdtemp(prefix="server-", dir=base))
    databases = Databases(folder / "database", broker, files)
    try:
        if "file" in wanted:
            _say("file to booked")
            found, races["file"] = file_to_booked.measure(
                databases, options.rounds, options.naive, _say
            )
            results += found
        if "post" in wanted:
            _say("rate and post")
            found, races["post"] = rate_and_post.measure(databases, options.rounds, _say)
            results += found
        if "one" in wanted:
            _say("one trade a call")
            found, races["one"] = one_by_one.measure(
                databases, options.rounds, options.single, _say
            )
            results += found
        if "rerate" in wanted:
            _say("rated again")
            found, races["rerate"] = rerate.measure(databases, options.rounds, _say)
            results += found
        if "memory" in wanted:
            _say("memory")
            results += memory.measure(databases, options.long, _say)
    finally:
        databases.close()
        shutil.rmtree(folder, ignore_errors=True)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
