"""The words of `pipshare explain` for what builds up: windows, parts of them, events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click
from rich.text import Text

from pipshare.cli.options import console, counted, money
from pipshare.money import format_e8
from pipshare.pipeline import Run
from pipshare.pipeline.explained.as_json import event_dict, window_dict
from pipshare.pipeline.explained.of_event import EventExplanation, explain_event
from pipshare.pipeline.explained.of_trade import Part
from pipshare.pipeline.explained.of_window import explain_window
from pipshare.pipeline.explained.sums import Window
from pipshare.pipeline.explained.words import held_words
from pipshare.pipeline.explained.worked import Earned

SHOWN = 40  # lines of a window that are printed; --json has all


def window_command(run: Run, asked: Sequence[str], *, as_json: bool) -> None:
    """Print all that a payee's window of a component came to."""
    found = explain_window(run, *asked)
    if as_json:
        _print([window_dict(one) for one in found])
        return
    for one in found:
        say_window(one)


def event_command(run: Run, event: str, source: str | None, *, as_json: bool) -> None:
    """Print what an event led to."""
    found = explain_event(run, event, source)
    if as_json:
        _print(event_dict(found))
    else:
        _say_event(found)


def say_parts(parts: Iterable[Part]) -> None:
    """Print a trade's parts of windows, each with what the window came to and what is booked."""
    for part in parts:
        window = part.window
        _say_head(window, [one.line.level for one in part.lines])
        if part.adds:
            console.print(f"      this trade {part.adds}")
        for one in part.lines:
            _say_line(one, _what_of(window, one))
        _say_sum(window)


def say_window(window: Window) -> None:
    """Print a window: every line of it, what follows from their sum, what is booked."""
    _say_head(window, [])
    for one in window.lines[:SHOWN]:
        _say_line(one, _by(one, window))
    if len(window.lines) > SHOWN:
        console.print(f"    ... and {len(window.lines) - SHOWN} more; --json prints them all")
    _say_sum(window)


def _say_head(window: Window, levels: Sequence[int]) -> None:
    level = f", level {levels[0]}" if levels else ""
    console.print(Text.assemble("  ", (f"{window.component}{level}, {window.payee.code},"
                                       f" {window.period}", "bold")))  # fmt: skip


def _say_line(one: Earned, what: str) -> None:
    line = one.line
    if line.wait is not None:
        console.print(f"    {what} waits ({line.wait.word})", highlight=False)
    else:
        held = f" ({held_words(one.held_by)})" if one.held_by else ""
        console.print(f"    {what}: {money(line.amount_e8, line.wallet)}{held}")
    for step in line.working:
        console.print(f"      {step.label} {step.text}")


def _say_sum(window: Window) -> None:
    if window.trades:
        console.print(f"    {window.trades} trades are too many to work out by hand here; what is"
                      " booked:")  # fmt: skip
    else:
        measure = f", {window.measure}" if window.measure else ""
        console.print(f"    in all {counted(len(window.lines), 'line')}{measure}:"
                      f" {money(window.payable_e8, window.currency)}")  # fmt: skip
        if len(window.working) > 1:
            console.print("      " + "; ".join(f"{one.label} {one.text}" for one in window.working))
        if window.netted_with:
            console.print(f"      (summed with {', '.join(window.netted_with)})")
    say_booked(window.booked)
    if window.agrees:
        console.print("    the books say the same")
    elif window.agrees is False:
        console.print(f"    the books say {money(window.booked_e8, window.currency)}: run `pipshare"
                      " verify` and tell us", style="bold")  # fmt: skip
    elif not window.settled:
        console.print("    not settled since something touched it: `pipshare work` does that")


def say_booked(rows: Iterable[dict[str, Any]]) -> None:
    """Print booked window lines with what brought them about."""
    for row in rows:
        why = f", because of {row['why']}" if row["why"] else ""
        state = "" if row["state"] == "accrued" else f", {row['state']}"
        kind = "booked" if row["seq"] == 1 else "corrected by"
        reason = f" ({row['sentence']})" if row["sentence"] else ""
        console.print(f"    {kind} {money(row['amount_e8'], row['currency'])}{reason}{state},"
                      f" transfer {row['transfer']}, earned {row['day']}{why}")  # fmt: skip


def _what_of(window: Window, one: Earned) -> str:
    if one.ticket:
        return "this trade"
    return f"the sum of {window.period}" if not one.event else f"event {one.event}"


def _by(one: Earned, window: Window) -> str:
    if one.ticket:
        return f"trade {one.ticket} on {one.on}"
    client = f" of client {one.client}" if one.client else ""
    return f"event {one.event}{client}" if one.event else f"the sum of {window.period}{client}"


def _say_event(found: EventExplanation) -> None:
    told = found.event
    amount = f" {format_e8(told['amount_e8'])} {told['currency']}" if told["amount_e8"] else ""
    about = f", about {told['reference']}" if told["reference"] else ""
    console.print(Text.assemble((f"Event {told['event']} of {told['source']}", "bold"),
                                f": {told['kind'].replace('_', ' ')}{amount}{about}"))  # fmt: skip
    client = f"client {told['client']}" if told["client"] else "nobody known"
    console.print(f"  of {client}, at {told['at']}")
    if told["waits"]:
        console.print(f"  it waits: {told['waits'].replace('_', ' ')} {told['waits_for']}")
    if told.get("became"):
        console.print(f"  {told['became']}: {told['became_detail']}")
    for effect in found.effects:
        console.print(f"  {effect['stage']}: {effect['text']}", highlight=False, markup=False)
    for row in found.about:
        console.print(f"  later: {row['kind'].replace('_', ' ')}, event {row['event']}"
                      f" at {row['at']}")  # fmt: skip
    for part in found.parts:
        _say_head(part.window, [one.line.level for one in part.lines])
        for one in part.lines:
            _say_line(one, _what_of(part.window, one))
        _say_sum(part.window)
    if found.booked and not found.parts:
        console.print("  booked because of it:")
        say_booked(found.booked)
    for row in found.held:
        console.print(f"  held until the client's KYC is approved: {row['payee']}"
                      f" {money(row['amount_e8'], row['currency'])}")  # fmt: skip
    if not (found.parts or found.booked or found.held):
        console.print("  Nothing was paid, held or taken back because of it.")


def _print(told: Any) -> None:
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))
