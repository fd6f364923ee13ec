"""The page of deposits that several sides tell: whose word counts, what matches, what differs."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.scenarios.small_broker import SmallBroker

from pipshare import clients, inbox
from pipshare.facts import CASH
from pipshare.facts.counted import Authority
from pipshare.period import to_ms
from pipshare.pipeline.rest import to_rest

DAY = datetime.now(UTC) - timedelta(days=5)


@pytest.fixture(scope="module")
def made(site: Any, tmp_path_factory: Any) -> Any:
    """Three deposits by the CRM, one of them by the provider, too; two on the platform."""
    with site.app() as conn:
        broker = SmallBroker(conn, Path(tmp_path_factory.mktemp("broker")))
        said = Authority("main", "kyc", 0, "crm")
        clients.say_authority(conn, said, by="anna", reason="the CRM checks documents")
        rows = [f"{source}-{n},deposit,C-1,{DAY:%Y-%m-%dT10:00:00Z},{n}00,USD,{source}"
                for source, n in (("crm", 1), ("crm", 2), ("crm", 3), ("psp", 1))]  # fmt: skip
        head = "event,kind,client,at,amount,currency,source\n"
        assert not broker.load("events", head + "\n".join(rows) + "\n")[0].refused
        at = to_ms(DAY.replace(hour=11))
        cash = [{"ticket": n, "login": 1001, "time_ms": at, "kind": "balance",
                 "amount_e8": dollars * 10**8, "comment": f"wire <{n}>"}
                for n, dollars in ((71, 200), (72, 295), (73, 7))]  # fmt: skip
        inbox.store_cash(conn, 1, pl.DataFrame(cash, schema=CASH), 0)
        conn.commit()
        to_rest(broker.run)
    return site


def _plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\N{NO-BREAK SPACE}", " ").split())


def test_it_shows_what_differs_and_whose_word_counts(made: Any, client: Any) -> None:
    said = _plain(client("auditor").get("/crm/deposits/").text)
    assert "Money was told by crm (3), psp (1)." in said
    assert "KYC was told by nobody yet" in said
    assert "anna: the CRM checks documents" in said
    assert re.search(r"crm:crm-1 .* 100.00 USD C-1 – – counts, and is not on the platform", said)
    assert re.search(r"crm:crm-3 .* 300.00 USD C-1 Live-4:72 .* 295.00 USD amounts differ", said)
    assert re.search(r"Live-4:73 .* 7.00 USD on the platform, and nobody tells it", said)
    assert "crm-2" not in said
    assert re.search(r"crm:crm-1 .* psp:psp-1 .* matches", said)


def test_what_does_not_count_looks_so_in_a_life(made: Any, client: Any) -> None:
    page = client("auditor").get("/clients/life/?client=C-1").text
    assert page.count('badge good">deposit') == 3
    assert page.count('badge plain">deposit') == 1


def test_all_rows_and_a_shorter_time(made: Any, client: Any) -> None:
    page = client("auditor").get("/crm/deposits/?all=1&entity=main&days=7")
    assert "crm:crm-2" in page.text
    assert "wire &lt;71&gt;" in page.text, "comments are shown as they are"
    assert client("auditor").get("/crm/deposits/?entity=other").status_code == 404
    assert client("metatrader").get("/crm/deposits/").status_code == 403
