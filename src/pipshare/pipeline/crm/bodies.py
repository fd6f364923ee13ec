"""What a stored payload says: as the door judged it, or judged here by the mapping that holds."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from pipshare.crm import CrmMapping
from pipshare.inbox import DuePayload, Endpoint
from pipshare.pipeline.crm.judge import PROBLEM, Item, Judgement, delivery_of, judge, unpacked


def judgement_of(
    due: DuePayload, endpoint: Endpoint, mapping: tuple[int, CrmMapping] | None,
    knows: Callable[[str], bool],
) -> Judgement:  # fmt: skip
    """Return what a payload says; a problem of the whole where nobody can tell.

    `mapping`: the version that holds and itself, None where none is published.
    """
    if due.mapped is not None and mapping is not None and due.version == mapping[0]:
        return unpacked(due.mapped)
    if mapping is None:
        return _whole("no_mapping", "no mapping is published for this endpoint: `pipshare crm"
                      f" mapping publish {endpoint.code}`, then replay")  # fmt: skip
    if due.body is None:
        return _whole("no_body", "its body is not kept any more: it cannot be mapped again")
    return judge(
        mapping[1], zlib.decompress(due.body), due.content_type, received_ms=due.at_ms,
        delivery=delivery_of(due.once, due.id), source=endpoint.code, entity=endpoint.entity,
        knows=knows,
    )  # fmt: skip


def _whole(code: str, sentence: str) -> Judgement:
    return Judgement((Item(0, PROBLEM, code=code, sentence=sentence),))
