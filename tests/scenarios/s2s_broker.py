"""A small broker whose site posts back to us: partners, links, clicks, a tracker, and its calls."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from pipshare import db as pg
from pipshare import inbox, partners
from pipshare.facts.clicks import RANDOM_BYTES, Click, click_id
from pipshare.period import from_ms
from pipshare.pipeline import Run
from pipshare.pipeline.claims import settle_claims
from pipshare.pipeline.loads import load
from pipshare.pipeline.postbacks import Answer, Sent, take_postbacks
from pipshare.tracking.postback_fields import read_request

DAY = 24 * 3600 * 1000
NOW = time.time_ns() // 1_000_000
LOADS = {
    "entities": "entity\nother\n",
    "servers": "server,platform,clock,go_live\nLive-4,mt4,UTC,2026-01-01T00:00:00Z\n",
    "partners": "partner,name,parent,entity\nP-1,Master,,main\nP-2,Sub,P-1,main\nP-3,Other,,main\n"
    "P-9,Elsewhere,,other\n",
}
RELATIONS = f"""
SELECT c.code, p.code, {pg.ms("r.valid_from")}
  FROM partners_client r JOIN clients_client c ON c.id = r.client_id
  LEFT JOIN partners_partner p ON p.id = r.partner_id ORDER BY 1, r.id
"""
EVENTS = """
SELECT source, event, kind, client, amount_e8, currency, reference FROM clients_event
 ORDER BY source, event, id
"""


@dataclass
class Site:
    """A loaded broker, and the calls of his site."""

    conn: Any
    folder: Any
    tokens: dict[str, str] = field(default_factory=dict)
    kept: Any = None  # the links and tokens of the one that loaded the database

    def __post_init__(self) -> None:
        self.run = Run(self.conn)
        if self.kept is not None:
            self.links, self.tokens = self.kept
            return
        for kind, text in LOADS.items():
            assert not self.load(kind, text)[0].refused
        for id_ in (1, 2):
            partners.add_landing(self.conn, id_, "home", "https://b.example/", by="anna")
        self.links = {
            code: partners.add_link(self.conn, partners.partner(self.conn, code), by="anna").id
            for code in ("P-1", "P-2", "P-3", "P-9")
        }
        self.tracker("site", money=("deposit", "withdrawal", "reversal"))
        self.conn.commit()
        self.kept = self.links, self.tokens

    def load(self, kind: str, text: str, **options: Any) -> Any:
        path = self.folder / f"{kind}.csv"
        path.write_text(text)
        return load(self.run, kind, path, by="anna", **options).reports

    def tracker(self, code: str, entity: str = "main", **options: Any) -> str:
        """Set up a tracker; return its signing secret."""
        ids = dict(self.conn.execute("SELECT code, id FROM market_entity").fetchall())
        self.tokens[code], secret = inbox.add_tracker(
            self.conn, ids[entity], code, by="anna", **options
        )
        self.conn.commit()
        return secret

    def click(self, partner: str, at_ms: int = NOW - DAY, **options: Any) -> str:
        """Let somebody click a partner's link; return the click's id."""
        who = partners.partner(self.conn, partner)
        id_ = click_id(at_ms, os.urandom(RANDOM_BYTES))
        inbox.store_clicks(self.conn, [Click(id_, self.links[partner], who.id, **options)])
        self.conn.commit()
        return id_

    def sent(self, event: str, by: str = "site", sender: str = "127.0.0.1", **told: Any) -> Sent:
        """Return a call as the door passes it on; moments may be given in ms."""
        if isinstance(told.get("at"), int):
            told["at"] = from_ms(told["at"]).isoformat()
        query = urlencode({"token": self.tokens.get(by, by), **told}).encode()
        return Sent(event, read_request(query, None, ""), sender, NOW)

    def take(self, *sent: Sent) -> list[Answer]:
        answers = take_postbacks(self.conn, sent)
        self.conn.commit()
        return answers

    def post(self, event: str, **told: Any) -> tuple[str, str]:
        """Send one postback; return its verdict and reason."""
        answer = self.answer(event, **told)
        return answer.verdict, answer.reason

    def answer(self, event: str, **told: Any) -> Answer:
        (found,) = self.take(self.sent(event, **told))
        return found

    def settle(self) -> None:
        settle_claims(self.run)

    def relations(self) -> dict[str, tuple[str | None, int]]:
        """Whose each client is, and from when on; each client has one record at most."""
        rows = self.conn.execute(RELATIONS).fetchall()
        self.conn.commit()
        assert len({code for code, _, _ in rows}) == len(rows)
        return {code: (partner, since) for code, partner, since in rows}

    def whose(self) -> dict[str, str | None]:
        return {client: partner for client, (partner, _) in self.relations().items()}

    def events(self) -> list[tuple[Any, ...]]:
        rows = self.conn.execute(EVENTS).fetchall()
        self.conn.commit()
        return rows

    def outcome(self, **asked: Any) -> tuple[str, str]:
        """Return what became of the newest postback that fits."""
        (found,) = inbox.postbacks(self.conn, limit=1, **asked)
        self.conn.commit()
        return found.outcome, found.outcome_reason

    def set_rules(self, **settings: Any) -> None:
        held = partners.tracking_settings(self.conn, 1)
        partners.set_tracking(self.conn, 1, replace(held, **settings), by="anna")
        self.conn.commit()
