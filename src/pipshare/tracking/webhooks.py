"""Bodies of webhooks: type, moment, sequence and data, as the catalogue's schemas have them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def body_of(kind: str, at: datetime, data: Mapping[str, Any], seq: int) -> bytes:
    """Return a webhook's body, the same bytes for each repeat: what is signed must not vary."""
    told = {
        "type": kind, "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "sequence": seq,
        "data": dict(data),
    }  # fmt: skip
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
