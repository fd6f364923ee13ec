"""What a CRM's payload says, judged without changing anything: mapped, skipped, or a problem.

Pure. The door, the settling, the console's test page and the command line all judge here, so that
they say the same of the same payload. Beyond the mapping it finds what an event cannot be: money in
a currency of which nothing is known, a moment that has not come, half an account. Whatever a body
or a mapping holds, judging raises nothing.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from dataclasses import fields as fields_of
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipshare.clients.take_events import AHEAD_MS
from pipshare.crm import CrmMapping, Mapped, Outcome, Problem, Skipped, read_payload
from pipshare.crm.kinds import needs
from pipshare.crm.pick import shown
from pipshare.errors import BadInput
from pipshare.facts.events import KYC, KYC_CHANGED
from pipshare.money import parse_e8
from pipshare.money.currencies import is_known
from pipshare.period import from_ms, to_ms

MOST = 10_000  # items of one body, and lines of it
MAPPED, SKIPPED, PROBLEM = "mapped", "skipped", "problem"
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
APPROVED = "kyc_approved"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
_DAY_AHEAD_MS = 14 * 3600 * 1000  # no zone's day begins earlier than so long before UTC's
_BOM = b"\xef\xbb\xbf"
_LEVEL, _SMALL = 1, 2_000  # of zlib: a sender waits for it; bytes that are not worth it
_UNKNOWN = ("nothing is known of {}: put it right, or load a rate of it first"
            " (`pipshare load fx`)")  # fmt: skip
_AHEAD = ("found {}, and it is {}: it has not happened yet; check the zone that the mapping gives"
          " to the sender's times")  # fmt: skip
_STATUS = ("found {}: a KYC change is approved, rejected, expired or withdrawn; turn the sender's"
           ' words into these with "map"')  # fmt: skip
_HALF = "an account is named by server and login; one of the two is missing"
_CLEARED = "money is cleared after it was sent, not before"
_EXPIRED = "the document had ended when it was approved; one of the two moments is wrong"
_FAILED = ("the mapping failed on it: a fault of pipshare, not of the sender; it is kept, and can"
           " be replayed when the fault is mended")  # fmt: skip
_log = logging.getLogger("pipshare.crm")


@dataclass(frozen=True)
class Item:
    """What one item of a payload is, by one rule; (`item`, `rule`) names it within the payload.

    `item` counts from 1 over the whole body, 0 = the body as a whole; `line` is the line of NDJSON,
    0 elsewhere. `verdict`: MAPPED (`kind`, `fields` by the names of facts.fields, `claims`),
    SKIPPED (`sentence` says why) or PROBLEM (`code`, `sentence`, and where: `field`, `expression`).
    """

    item: int
    verdict: str
    line: int = 0
    rule: str = ""
    kind: str = ""
    fields: Mapping[str, str] = made(default_factory=dict)
    claims: Mapping[str, str] = made(default_factory=dict)
    code: str = ""
    sentence: str = ""
    field: str = ""
    expression: str = ""

    @property
    def mapped(self) -> Mapped:
        """Return a mapped item as crm.canonical takes it."""
        return Mapped(self.item, self.rule, self.kind, self.fields, self.claims)

    def kept(self) -> dict[str, Any]:
        """Return it as JSON to store, without what is empty; `item_of` makes it again."""
        told = ((name, getattr(self, name)) for name in _NAMES)
        return {name: value for name, value in told if value}


_NAMES = tuple(one.name for one in fields_of(Item))


def item_of(kept: Mapping[str, Any]) -> Item:
    """Return an item as it was kept."""
    return Item(**{"item": 0, **kept})


@dataclass(frozen=True)
class Judgement:
    """What a body says, item by item, in the order sent."""

    items: tuple[Item, ...]

    @property
    def mapped(self) -> list[Item]:
        """Return what becomes events, records or claims."""
        return [one for one in self.items if one.verdict == MAPPED]

    @property
    def problems(self) -> list[Item]:
        """Return what cannot be used as it is."""
        return [one for one in self.items if one.verdict == PROBLEM]

    @property
    def is_lost(self) -> bool:
        """Tell whether nothing of it could be used, and something should have been."""
        return bool(self.items) and all(one.verdict == PROBLEM for one in self.items)

    @property
    def is_unread(self) -> bool:
        """Tell whether the body itself cannot be read."""
        return bool(self.items) and all(one.code in UNREAD for one in self.items)


def packed(judgement: Judgement) -> bytes:
    """Return a judgement as bytes to store until it is settled."""
    told = json.dumps([one.kept() for one in judgement.items], separators=(",", ":")).encode()
    return zlib.compress(told, _LEVEL) if len(told) > _SMALL else told


def unpacked(stored: bytes) -> Judgement:
    """Return a judgement that was packed."""
    told = stored if stored[:1] == b"[" else zlib.decompress(stored)
    return Judgement(tuple(map(item_of, json.loads(told))))


def delivery_of(once: str, payload_id: str) -> str:
    """Return what mappings are given as `delivery`: the sender's signed id, else our number."""
    return once[2:] if once.startswith("d:") else payload_id


UNREAD = ("bad_json", "bad_encoding", "bad_form", "empty", "too_many_lines")


def judge(
    mapping: CrmMapping, body: bytes, content_type: str, *, received_ms: int,
    now_ms: int | None = None, delivery: str = "", source: str = "", entity: str = "",
    knows: Callable[[str], bool] = is_known,
) -> Judgement:  # fmt: skip
    """Judge a body that came at `received_ms` (UTC); no event is later than `now_ms` (that, too).

    `source` and `entity` stand where the mapping tells none. `knows` tells whether anything is
    known of a currency.
    """
    now_ms = received_ms if now_ms is None else now_ms
    beside = {"source": mapping.source or source, "entity": entity}
    found: list[Item] = []
    count = 0
    for line, payload in _payloads(body, content_type):
        if isinstance(payload, BadInput):
            outcomes: Sequence[Outcome] = [Problem(int(line > 0), payload.code, payload.message)]
        else:
            outcomes = _applied(mapping, payload, received_ms, delivery)
        before = count
        for one in outcomes:
            # A line that cannot be cut into items is one itself; a whole body is item 0.
            number = before + (one.item or int(line > 0))
            found.append(_item(one, number, line, beside, now_ms, knows))
            count = max(count, number)
        if count > MOST:
            return Judgement((_whole("too_many_items", f"it has more than {MOST} items: send less"
                                                       " at once"),))  # fmt: skip
    return Judgement(tuple(found))


def _payloads(body: bytes, content_type: str) -> Iterator[tuple[int, Any]]:
    """Yield what is to be mapped, with its line of NDJSON; BadInput for what cannot be read."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in NDJSON:
        yield 0, _read(body, kind)
        return
    lines = body.removeprefix(_BOM).split(b"\n")
    told = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not told or len(told) > MOST:
        code, sentence = ("empty", "nothing is in it: all lines are empty")
        if told:
            code = "too_many_lines"
            sentence = f"it has {len(told)} lines; at most {MOST}: send less at once"
        yield 0, BadInput(code, sentence)
        return
    for number, line in told:
        yield number, _read(line, JSON)


def _read(body: bytes, kind: str) -> Any:
    if not body.strip():
        return BadInput("empty", "nothing was sent: the body is empty")
    try:
        return read_payload(body, kind)
    except BadInput as error:
        return error


def _applied(
    mapping: CrmMapping, payload: Any, received_ms: int, delivery: str
) -> Sequence[Outcome]:  # fmt: skip
    try:
        return mapping.apply(payload, received_ms=received_ms, delivery=delivery)
    except Exception as error:  # whatever it was: the payload is kept, and somebody sees it
        # The error itself may quote the payload, so only its name is told.
        _log.error("mapping %s failed on a payload: %s", mapping.name, type(error).__name__)
        return [Problem(0, "mapping_failed", _FAILED)]


def _item(
    one: Outcome, number: int, line: int, beside: Mapping[str, str], now_ms: int,
    knows: Callable[[str], bool],
) -> Item:  # fmt: skip
    if isinstance(one, Skipped):
        return Item(number, SKIPPED, line, one.rule, sentence=one.reason)
    if isinstance(one, Problem):
        return Item(number, PROBLEM, line, one.rule, code=one.code, sentence=one.sentence,
                    field=one.field, expression=one.expression)  # fmt: skip
    fault = _fault(one, now_ms, knows)
    if fault is not None:
        return Item(number, PROBLEM, line, one.rule, one.kind, code=fault.code,
                    sentence=fault.sentence, field=fault.field)  # fmt: skip
    fields = {**{name: text for name, text in beside.items() if text}, **one.fields}
    return Item(number, MAPPED, line, one.rule, one.kind, fields, one.claims)


class _Fault(NamedTuple):
    field: str
    code: str
    sentence: str


def _fault(one: Mapped, now_ms: int, knows: Callable[[str], bool]) -> _Fault | None:
    """Return what the item cannot be; None when it can be."""
    told = one.fields
    currency, status = told.get("currency", ""), told.get("status", "").lower()
    if currency and not knows(currency):
        return _Fault("currency", "unknown_currency", _UNKNOWN.format(currency))
    if _earliest_ms(told["at"]) > now_ms + AHEAD_MS:
        now = f"{from_ms(now_ms):%Y-%m-%dT%H:%M:%SZ}"
        return _Fault("at", "in_the_future", _AHEAD.format(told["at"], now))
    if one.kind == KYC_CHANGED and f"kyc_{status}" not in KYC:
        return _Fault("status", "unknown_word", _STATUS.format(shown(status)))
    if told["event"] == told.get("reference"):
        return _Fault("reference", "own_reference", "an event cannot take itself back")
    if told.get("other_client") and told["other_client"] == told.get("client"):
        return _Fault("other_client", "own_other", "it is the client himself")
    login = int(told.get("login") or 0)
    if (login != 0) != bool(told.get("server")):
        return _Fault("server" if login else "login", "half_an_account", _HALF)
    if "amount" in needs(one.kind) and parse_e8(told["amount"]) == 0:
        return _Fault("amount", "missing_field", f"a {one.kind} needs an amount of more than zero")
    at, cleared, expires = told["at"], told.get("cleared_at", ""), told.get("expires_at", "")
    # A date stands for the start of a broker's day, which settling knows and nobody here.
    if cleared and len(cleared) == len(at) and cleared < at:
        return _Fault("cleared_at", "cleared_before", _CLEARED)
    is_approved = one.kind == APPROVED or (one.kind == KYC_CHANGED and f"kyc_{status}" == APPROVED)
    if is_approved and len(expires) == len(at) and expires <= at:
        return _Fault("expires_at", "expired_before", _EXPIRED)
    return None


def _earliest_ms(text: str) -> int:
    """Return the earliest moment (UTC ms) that a mapped text can mean."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:  # a date: the start of a broker's day, wherever he is
        return to_ms(moment.replace(tzinfo=UTC)) - _DAY_AHEAD_MS
    return to_ms(moment)


def _whole(code: str, sentence: str) -> Item:
    return Item(0, PROBLEM, code=code, sentence=sentence)
