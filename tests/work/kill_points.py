"""Runs `pipshare` and kills it -9 at one point: python kill_points.py TARGET WHEN NTH ARGUMENTS...

TARGET is module:function; the process is killed before or after its NTH call, in whatever thread,
as no handler can notice: what was not committed is undone, what was is not.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from random import Random
from typing import Any

# Stage -> functions called in it, as the stages call them. Those of one feed only are apart.
STAGES = {
    "inbox": ("pipshare.inbox:open_batch", "pipshare.inbox:store_deals", "pipshare.db:copy_in"),
    "trades": ("pipshare.trades:from_deals", "pipshare.trades:take_in"),
    "rating": ("pipshare.attribution:attribute", "pipshare.rating:rate", "pipshare.rating:store",
               "pipshare.rating:store_waiting"),
    "posting": ("pipshare.ledger:post",),
    "cursor": ("pipshare.inbox:save_cursor", "psycopg:Connection.commit", "pipshare.inbox:note_ok"),
}  # fmt: skip
FOLDER = {
    "fetch": ("pipshare.sources.files:read", "pipshare.pipeline.feeds.folder_look:Looks.look"),
    "inbox": (*STAGES["inbox"], "pipshare.inbox:receive_file"),
    "cursor": (*STAGES["cursor"], "pipshare.pipeline.feeds.folder:put_away"),
}
MT5 = {
    "fetch": ("pipshare.sources.mt5_web.connection:Connection.get",
              "pipshare.sources.mt5_web.connection:Connection.open"),
    "inbox": (*STAGES["inbox"], "pipshare.inbox:keep_raw"),
}  # fmt: skip
# Called a few times only, or for few of the batches: the nth call may never come.
_RARE = ("from_deals", "receive_file", "note_ok", "put_away", "open", "files:read")


@dataclass(frozen=True)
class Point:
    """Where to kill: before or after the nth call of a function of a stage."""

    stage: str
    target: str
    when: str
    nth: int

    @property
    def words(self) -> list[str]:
        return [self.target, self.when, str(self.nth)]


def draw(seed: int, count: int, own: dict[str, tuple[str, ...]]) -> list[Point]:
    """Return so many points, spread over the stages in turn; `own` are those of a feed."""
    random = Random(seed)
    stages = {"fetch": (), **STAGES, **own}
    order = list(stages)
    found = []
    for number in range(count):
        stage = order[number % len(order)]
        target = random.choice(stages[stage])
        most = 1 if target.endswith(_RARE) else 6 if "copy_in" in target else 3
        found.append(Point(stage, target, random.choice(("before", "after")),
                           random.randint(1, most)))  # fmt: skip
    return found


def kill_at(target: str, when: str, nth: int) -> None:
    """Put a killer before or after the nth call of a function."""
    module, _, path = target.partition(":")
    *way, name = path.split(".")
    owner: Any = import_module(module)
    for step in way:
        owner = getattr(owner, step)
    original = getattr(owner, name)
    lock, calls = threading.Lock(), 0

    @wraps(original)
    def counted(*args: Any, **options: Any) -> Any:
        nonlocal calls
        with lock:
            calls += 1
            mine = calls == nth
        if mine and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **options)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, counted)


if __name__ == "__main__":
    kill_at(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    from pipshare.cli import main

    main(sys.argv[4:])
