"""A broker for the contract of CRMs: many partners, two programmes, pipshare's own server."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from pipshare import inbox, partners
from pipshare.pipeline import Run, to_rest
from pipshare.pipeline.loads import apply_plan, load

E8 = 10**8
PARTNERS = 80
CPA = """[programme]
code = "{code}"
currency = "USD"{kyc}

[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
qualify = {{ first_deposit = 100 }}
[[component.rate]]
level = 1
amount = "200"
"""
_STANDS = """
SELECT state, sum(amount_e8)::bigint FROM ledger_balance
 WHERE payee_kind = 'partner' AND payee_id = %s GROUP BY 1 HAVING sum(amount_e8) <> 0"""
_EVENTS = "SELECT count(*) FROM clients_event WHERE client = %s"


class Broker:
    """A loaded broker. Partner n is known as IB-n and, to CRMs that have numbers, as n."""

    def __init__(self, conn: Any, folder: Path, port: int, programme: str = "held") -> None:
        self.conn, self.folder, self.port, self.run = conn, folder, port, Run(conn)
        self.numbers = count(1)
        self._load("servers", "server,platform,clock,go_live", ["Live-5,mt5,UTC,2026-01-01"])
        codes = [code for number in range(1, PARTNERS) for code in (f"IB-{number}", f"{number}")]
        self._load("partners", "partner,name", [f"{code},Partner" for code in codes])
        for code, kyc in (("held", '\nkyc = "hold"'), ("free", "")):
            path = folder / f"{code}.toml"
            path.write_text(CPA.format(code=code, kyc=kyc))
            apply_plan(self.run, path, by="anna")
        self._load("terms", "partner,programme", [f"{code},{programme}" for code in codes])
        conn.commit()

    def _load(self, kind: str, head: str, rows: list[str]) -> None:
        path = self.folder / f"{kind}.csv"
        path.write_text("\n".join([head, *rows, ""]))
        assert not load(self.run, kind, path, by="anna").reports[0].refused

    def settle(self) -> None:
        """Bring everything to rest, as `pipshare work` does."""
        to_rest(self.run)
        self.conn.commit()

    def stands(self, partner: str) -> dict[str, float]:
        """Return what a partner's accounts hold, in dollars by state."""
        found = partners.partner(self.conn, partner)
        rows = self.conn.execute(_STANDS, (found.id,)).fetchall()
        self.conn.commit()
        return {state: amount / E8 for state, amount in rows}

    def events(self, client: str) -> int:
        """Return how many events of a client are known, revisions counted."""
        found = self.conn.execute(_EVENTS, (client,)).fetchone()[0]
        self.conn.commit()
        return int(found)

    def problems(self, endpoint: inbox.Endpoint) -> list[str]:
        """Return what could not be used of what came through an endpoint."""
        rows = self.conn.execute(
            "SELECT i.outcome, i.detail FROM inbox_payload_item i JOIN inbox_payload p"
            " ON p.id = i.payload_id WHERE p.endpoint_id = %s AND i.outcome IN"
            " ('problem', 'refused')", (endpoint.id,),
        ).fetchall()  # fmt: skip
        self.conn.commit()
        return [f"{outcome}: {detail}" for outcome, detail in rows]

    def payloads(self, endpoint: inbox.Endpoint) -> int:
        """Return how many payloads of an endpoint were accepted."""
        found = self.conn.execute(
            "SELECT count(*) FROM inbox_payload WHERE endpoint_id = %s AND verdict = 'accepted'",
            (endpoint.id,),
        ).fetchone()[0]
        self.conn.commit()
        return int(found)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Send a webhook to pipshare's server; return its answer."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            line.request("POST", path, body, {"Content-Type": "application/json", **headers})
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def url(self, path: str) -> str:
        """Return an address of pipshare's server."""
        return urllib.parse.urljoin(f"http://127.0.0.1:{self.port}", path)


@contextmanager
def serving(environment: Mapping[str, str]) -> Iterator[int]:
    """Run `pipshare serve` on a database; yield its port."""
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PIPSHARE_", "DATABASE"))}
    bare["PIPSHARE_DATA"] = os.environ["PIPSHARE_DATA"]  # where the keys are that sealed secrets
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("pipshare")), "serve", "--port", "0", "--workers", "1"],
        env={**bare, **environment}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        found = re.search(r"http://127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found
        yield int(found[1])
    finally:
        process.terminate()
        process.wait(20)
