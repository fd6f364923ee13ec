"""Why we say what we say of a ticket: unknown, waiting, excluded, or the rule behind the amount."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pipshare import market
from pipshare.pipeline.compare.result import TicketRow
from pipshare.pipeline.explain import Explanation, explain, find
from pipshare.pipeline.run import Run
from pipshare.rating.reasons import Reason
from pipshare.rating.twin_values import TwinLine

_STATUS = {
    "unbooked": "the server has no go-live: nothing of it is booked",
    "history": "it closed before the server's go-live",
    "direct": "the client has no introducer",
    "excluded": "the account is excluded",
    "unknown": "it waits",
}


def why(run: Run, row: TicketRow, codes: Collection[str], *, is_plan: bool) -> TicketRow:
    """Return the row with our reason; `is_plan`: our side is a plan's and not the books'."""
    return replace(row, why=_why(run, row, codes, is_plan))


def _why(run: Run, row: TicketRow, codes: Collection[str], is_plan: bool) -> str:
    if row.partner not in codes:
        return (f"partner {row.partner} is not known here: load him, or map his code under"
                " [values.partner]")  # fmt: skip
    if not row.ticket:
        return "of no ticket: sums of periods, clients' events, or rows without a ticket"
    found = find(run.conn, row.ticket, row.server or None)
    if not found:
        on = f" on server {row.server}" if row.server else ""
        return f"no trade {row.ticket}{on} is stored: import it"
    if len(found) > 1:
        servers = ", ".join(code for code, _ in found)
        return f"trades of several servers have this number ({servers}): give the report's server"
    server = market.server(run.conn, found[0][0])
    told = explain(run, run.servers.get(server.id, server), found[0][1])
    if told.result is None:
        detail = str(told.who.get("why", "")).replace("_", " ")
        return f"{_STATUS.get(told.status, told.status)}{f' ({detail})' if detail else ''}"
    said = _of_partner(told, row)
    if not is_plan and row.ours_e8 is not None and told.agrees is False:
        said += "; the books say something else: rating this trade again is due"
    return said


def _of_partner(told: Explanation, row: TicketRow) -> str:
    """Say what each line of the partner is, by the twin's own working."""
    assert told.result is not None
    numbers = {level["id"] for level in told.who["chain"] if level["partner"] == row.partner}
    if not numbers:
        chain = ", ".join(level["partner"] for level in told.who["chain"])
        return f"he is not in the chain of this trade: {chain}"
    if told.result.reason is not None:
        return told.result.reason.sentence
    lines = [one for one in told.result.lines if one.partner_id in numbers or not one.component_id]
    if not lines:
        return "no component of the programme pays him by the trade (windows are apart)"
    return "; ".join(_line(one) for one in lines)


def _line(line: TwinLine) -> str:
    name = f"{line.component}, level {line.level}: " if line.component else ""
    if line.wait is not None:
        key = f" ({line.key})" if line.key else ""
        return f"{name}it waits, {line.wait.sentence}{key}"
    if line.reason != Reason.PAID:
        return f"{name}0, {line.reason.sentence}"
    return name + ", ".join(f"{step.label} {step.text}" for step in line.working)
