"""Running totals of a run: stub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipshare.rating.work import Gross, Work


@dataclass(frozen=True)
class History:
    """stub"""


class Running:
    def __init__(self, *a: Any) -> None:
        self.measures = None

    def given(self, work: Work, at: Any, price: Any, stop: Any) -> Gross | None:
        return None

    def net(self, part: Any, known: Any, values: Any, reason: Any) -> None:
        return None

    def cap(self, work: Any, rows: Any, cap: Any) -> None:
        return None
