"""procrastinate's worker over jobs that are deferred already: the reference of what goes out.

`python -m benchmarks.outgoing_jobs CONNINFO COUNT [URL]` prints jobs a second: of jobs that do
nothing, or that post a signed body to URL, as a broker's own script would do it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from datetime import UTC, datetime

import httpcore2
import procrastinate
from standardwebhooks import Webhook

AT_ONCE = 100  # jobs under way: more made it slower
_BODY = json.dumps({"type": "trade.closed", "data": {"ticket": "1", "lots": "0.10"}})
_KEY = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")


async def _run(conninfo: str, count: int, url: str) -> float:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
    pool = httpcore2.AsyncConnectionPool(max_connections=AT_ONCE)

    @app.task
    async def say(number: int) -> None:
        if url:
            now = datetime.now(UTC)
            headers = {"webhook-id": str(number), "webhook-timestamp": str(int(now.timestamp())),
                       "webhook-signature": _KEY.sign(str(number), now, _BODY)}  # fmt: skip
            sent = [(k.encode(), v.encode()) for k, v in headers.items()]
            await pool.request("POST", url, headers=sent, content=_BODY.encode())

    async with app.open_async(), pool:
        with contextlib.suppress(procrastinate.exceptions.ConnectorException):
            await app.schema_manager.apply_schema_async()  # it is there from the round before
        for at in range(0, count, 1_000):
            await say.batch_defer_async(*[{"number": n} for n in range(at, min(count, at + 1_000))])
        began = time.perf_counter()
        await app.run_worker_async(wait=False, concurrency=AT_ONCE, install_signal_handlers=False)
        return count / (time.perf_counter() - began)


if __name__ == "__main__":
    print(asyncio.run(_run(sys.argv[1], int(sys.argv[2]), (sys.argv[3:] or [""])[0])))
