"""What the rooms answer: to whom, exactly what the books hold, and to odd requests."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rooms_broker
from rooms_broker import PERIOD, only

from pipshare import db, partners, statements
from pipshare.console import statement as page
from pipshare.console.scope import scope_of
from pipshare.console.shown import ago, harmless, lasting, money, number
from pipshare.money import parse_e8
from pipshare.payouts import Payment
from pipshare.statements import Frozen
from pipshare.statements.build import Balance


@pytest.fixture(scope="module")
def broker(site: Any, scratch: Path) -> Any:
    """A booked broker, one trade of which was told differently later."""
    made = rooms_broker.book(scratch / "files")
    rooms_broker.revise(scratch / "later.csv")
    return made


def _partner(code: str) -> int:
    return int(only("SELECT id FROM partners_partner WHERE code = %s", code)[0])


def _read(client: Any, role: str, path: str) -> str:
    answer = client(role).get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode()).replace("\N{NO-BREAK SPACE}", " ")


def test_the_csv_holds_every_line_to_the_last_digit(broker: Any, client: Any) -> None:
    answer = client("finance").get(f"/partners/{_partner('IB-110')}/statements/{PERIOD}/lines.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    with db.connect() as conn:
        whole = statements.build(conn, _partner("IB-110"), "IB-110", PERIOD)
    wanted = sorted(whole.lines.select("ticket", "component", "level", "amount_e8").rows())
    found = sorted((int(row["ticket"]), row["component"], int(row["level"]),
                    parse_e8(row["amount"])) for row in rows)  # fmt: skip
    assert found == wanted
    assert {row["currency"] for row in rows} == {"EUR"}


def test_no_cell_becomes_a_formula() -> None:
    for text in ("=1+1", "+cmd", "-cmd|x", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "-1.5-2", "+"):
        assert harmless(text) == f"'{text}"
    for text in ("-1.50", "EURUSD", "12", "+3", "a=b"):
        assert harmless(text) == text


def test_amounts_are_exact_and_durations_short() -> None:
    assert number(-123_456_789_012_345_678) == "-1,234,567,890.12345678"
    assert number(-50_000_000) == "-0.50"
    assert money(100_000_000, "JPY") == "1\N{NO-BREAK SPACE}JPY"
    assert [lasting(ms) for ms in (350, 1_500, 59_000, 61_000, 7_200_000, 300_000_000)] == [
        "350 ms", "1.5 s", "59 s", "1 min", "2 h", "3 days"
    ]  # fmt: skip
    assert ago(None, 5) == "never"


def test_who_may_not_see_money_sees_none(broker: Any, client: Any) -> None:
    trade = "/trades/{}/{}/".format(*only(
        "SELECT server_id, ticket FROM rating_line WHERE amount_e8 > 0 ORDER BY ticket LIMIT 1"
    ))  # fmt: skip
    for path in ("/trades/", trade, "/overview/"):
        assert "Earned" in _read(client, "finance", path) or path == trade
        text = _read(client, "metatrader", path)
        assert "Earned" not in text
        assert "Lines in the books" not in text
    assert "Lines in the books" in _read(client, "finance", trade)
    assert client("metatrader").get(f"{trade}why/").status_code == 403
    assert client("partner_manager").get(f"{trade}why/").status_code == 200
    assert "The record as it came" in _read(client, "metatrader", trade)
    assert "The record as it came" not in _read(client, "partner_manager", trade)


def test_revisions_stand_side_by_side(broker: Any, client: Any) -> None:
    server, ticket = only("SELECT server_id, ticket FROM trades_trade WHERE revision = 2")
    text = _read(client, "finance", f"/trades/{server}/{ticket}/")
    assert "Revision 1" in text
    assert "Revision 2" in text
    assert "was 0.01" in text or "was " in text
    why = f"/trades/{server}/{ticket}/why/"
    assert "This is revision 2 of 2" in _read(client, "finance", why)
    assert "This is revision 1 of 2" in _read(client, "finance", f"{why}?revision=1")
    assert client("finance").get(f"{why}?revision=9").status_code == 400
    assert client("finance").get(f"{why}?revision=x").status_code == 400


def test_the_raw_record_is_the_line_of_the_file(broker: Any, client: Any) -> None:
    server, ticket = only(
        "SELECT t.server_id, t.ticket FROM trades_trade t JOIN market_server s"
        " ON s.id = t.server_id WHERE s.platform = 'mt5' ORDER BY t.ticket LIMIT 1"
    )
    assert f'<pre class="raw" tabindex="0">{ticket},' in _read(
        client, "auditor", f"/trades/{server}/{ticket}/"
    )


def test_odd_requests_get_a_page(broker: Any, client: Any) -> None:
    who = client("finance")
    partner = _partner("IB-110")
    for path, status in {
        "/trades/?after=rubbish": 200,
        "/trades/?after=9999999999999999999_1_1": 200,
        "/trades/?number=abc": 200,
        "/trades/?number=99999999999999999999": 200,
        "/trades/?since=yesterday": 200,
        "/trades/?symbol=%00": 200,
        "/trades/?server=77": 200,
        "/partners/?period=2026-13": 200,
        "/partners/?q=%25": 200,
        "/partners/?q=ib%00": 200,
        "/partners/?after=x": 200,
        f"/partners/{partner}/?after=%C2%B2": 200,
        f"/partners/{partner}/statements/2026-1/": 400,
        f"/partners/{partner}/statements/2026-11/lines.csv": 200,
        f"/partners/{partner}/statements/never/lines.csv": 400,
        f"/partners/{partner}/statements/2026-11/?after=1_2_3_4_5_6": 200,
        "/files/?before=x": 200,
        "/files/1/?after=x": 200,
        "/files/1/?code=not_a_number": 200,
    }.items():
        answer = who.get(path)
        assert answer.status_code == status, path


def test_a_partners_scope_is_his_subtree(broker: Any) -> None:
    with db.connect() as conn:
        staff = scope_of(conn, SimpleNamespace(partner_code=""))
        iberia = scope_of(conn, SimpleNamespace(partner_code="IB-110"))
        gone = scope_of(conn, SimpleNamespace(partner_code="IB-999"))
        assert staff is None
        assert iberia == partners.subtree(conn, _partner("IB-110"))
        assert gone == []


def test_the_overview_counts_what_one_sees(
    broker: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No role with a scope has the room today: it must not tell too much once one has."""
    whole = _read(client, "finance", "/overview/")
    assert "received" in whole
    monkeypatch.setattr("pipshare.console.overview.scope_of", lambda conn, user: [])
    nobody = _read(client, "finance", "/overview/")
    assert "nothing waits" in nobody
    assert "nothing yet" in nobody
    assert "record" not in nobody
    assert "<caption" not in nobody, "neither sources nor what waits"
    assert "No source is set up" not in nobody


def test_who_nobody_introduced_is_said_in_words(broker: Any, client: Any) -> None:
    for standing, said in ((2, "nobody earns"), (4, "before the server"), (3, "excluded")):
        place = only(
            "SELECT server_id, ticket FROM rating_entry WHERE standing = %s LIMIT 1", standing
        )
        text = _read(client, "finance", "/trades/{}/{}/why/".format(*place))
        assert said in text
        assert "The working" not in text


def test_a_cursor_is_told_in_words() -> None:
    from pipshare.console.sources import read_so_far

    told = read_so_far({
        "live_s": 1_795_000_000, "start_s": 1_790_000_000, "history_s": 1_791_000_000,
        "history_to_s": 1_794_000_000, "rescan_s": 0, "drift_ms": -7_000,
    })  # fmt: skip
    assert [name for name, _ in told] == [
        "Live trades up to", "History", "Server's clock is off by"]  # fmt: skip
    assert told[0][1].startswith("2026-11-18")
    assert "read up to" in told[1][1]
    assert read_so_far({}) == []


def test_a_statement_shows_what_the_closing_and_payments_did(client: Any, broker: Any) -> None:
    empty, full = Balance("USD", "paid", *[0] * 6), Balance("USD", "accrued", 0, 5, 0, 0, 0, 5)
    [[wallet, *_]] = page._balances([empty, full]).rows
    assert wallet.note == "accrued", "what is all zeros is left out"
    row = Frozen(("partner", 1, "USD"), 0, 0, 0, 0, 10**8, 2 * 10**8, 0, "hold days")
    assert list(page._closings([row]).rows) == [["USD", "1.00\xa0USD", "2.00\xa0USD", "hold days"]]
    paid = Payment(10**8, "USD", "W-1", date(2026, 11, 30), "anna")
    assert list(page._payments([paid]).rows) == [["2026-11-30", "W-1", "1.00\xa0USD"]]
    answer = client("finance").get(f"/partners/{_partner('IB-110')}/statements/{PERIOD}/")
    assert answer.status_code == 200
    assert "Opening, booked, closing" in answer.content.decode()
