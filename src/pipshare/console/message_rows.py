"""Messages to receivers as rows: what was said, how it stands, when it is tried next."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from pipshare.console.shown import Row, count, lasting, moment
from pipshare.outbox import Delivery
from pipshare.web import Cell, Column, Table

STATES: dict[str, tuple[str, tuple[str, ...]]] = {
    "waiting": ("Waiting", ("due", "behind")),
    "delivered": ("Delivered", ("delivered",)),
    "dead": ("Dead letters", ("dead",)),
    "cancelled": ("Cancelled", ("cancelled",)),
}
_WORDS = {"due": "Waiting", "behind": "Behind", "delivered": "Delivered", "dead": "Dead letter",
          "cancelled": "Cancelled"}  # fmt: skip
_TONES = {"due": "warn", "behind": "plain", "delivered": "good", "dead": "bad",
          "cancelled": "plain"}  # fmt: skip


def state_cell(one: Delivery, now_ms: int) -> Cell:
    """Show how a delivery stands, with what comes next or why it ended."""
    note = one.reason
    if one.state == "due":
        wait_ms = one.not_before_ms - now_ms
        next_ = f"next try in {lasting(wait_ms)}" if wait_ms > 0 else "being sent"
        note = f"{next_}; {one.reason}" if one.reason else next_
    elif one.state == "behind":
        note = "an earlier one of the same is not done yet"
    elif one.state == "delivered":
        note = ""
    return Cell(_WORDS[one.state], tone=_TONES[one.state], note=note)


def delivery_table(found: Sequence[Delivery], receiver_id: int, now_ms: int) -> Table:
    """Show deliveries of a receiver, newest first."""
    columns = [Column("Said", head=True), Column("Event"), Column("Of"), Column("State"),
               Column("Attempts", number=True)]  # fmt: skip
    rows: list[Row] = [
        [Cell(moment(one.said_ms), reverse("console:message", args=[receiver_id, one.message_id])),
         one.type, Cell(subject_of(one), note=f"number {one.seq} of it" if one.seq > 1 else ""),
         state_cell(one, now_ms), count(one.attempts)]
        for one in found
    ]  # fmt: skip
    return Table("Messages, newest first", columns, rows)


def subject_of(one: Delivery) -> str:
    """Name whom or what a message is of: client C-1, trade Live/7."""
    kind, _, rest = one.subject.partition(":")
    return "a test" if kind == "test" else f"{kind} {rest}"
