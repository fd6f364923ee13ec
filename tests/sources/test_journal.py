"""A prop firm's journal: duplicate column names, repeated tickets, a document and no export."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipshare.sources import files
from pipshare.sources.files.check import summary
from pipshare.sources.journal.parse import journal_ticket
from pipshare.sources.reading import CLIENT, Chunk

HEADER = (
    'Ticket;Open;Type;Volume;Symbol;Price;SL;TP;Close;Price;Swap;Commissions;Profit;Pips;'
    '"Trade duration in seconds"'
)  # fmt: skip


def row(ticket: int = 1140, volume: str = "1.50", close: str = "2026-02-25 14:06:03",
        type_: str = "sell", price: str = "38878.28", profit: str = "430.5") -> str:  # fmt: skip
    return (
        f'{ticket};"2026-02-25 14:05:35";{type_};{volume};BTCUSD;{price};0;0;"{close}";38835.23;'
        f"-1;-15.55;{profit};43.05;28"
    )


def write(folder: Path, *rows: str) -> Path:
    path = folder / "journal.csv"
    path.write_text("\n".join((HEADER, *rows, "")))
    return path


def chunk(path: Path) -> Chunk:
    (only,) = files.read(path).chunks()
    return only


def test_the_two_prices_are_opening_and_closing(tmp_path: Path) -> None:
    path = write(tmp_path, row())
    meta = files.read(path).meta
    assert (meta.format, meta.provenance, meta.account) == ("journal", CLIENT, None)
    trade = chunk(path).trades.row(0, named=True)
    assert trade["ticket"] < 0
    assert trade | {"ticket": 0} == {
        "ticket": 0, "login": 0, "position": 1140, "symbol": "BTCUSD", "side": -1, "kind": 0,
        "reason": -1, "lots_e8": 150_000_000, "open_ms": 1772028335000, "close_ms": 1772028363000,
        "open_price_e8": 3_887_828_000_000, "close_price_e8": 3_883_523_000_000,
        "commission_e8": -1_555_000_000, "fee_e8": 0, "swap_e8": -100_000_000,
        "profit_e8": 43_050_000_000, "rate_profit_e8": 0, "contract_e8": 0, "opening": 1, "line": 2,
    }  # fmt: skip
    found = summary(path)
    assert (found["closed_trades"], found["closed_pl_summed"]) == (1, "413.95")
    assert (found["account"], found["currency"], found["closed_pl_printed"]) == (None, None, None)


def test_partial_closes_repeat_the_ticket_and_stay_apart(tmp_path: Path) -> None:
    rows = [row(), row(volume="0.50"), row(close="2026-02-25 15:00:00"), row()]
    only = chunk(write(tmp_path, *rows))
    assert len(set(only.trades["ticket"])) == 3
    assert set(only.trades["position"]) == {1140}
    assert (only.repeated, only.refused) == (1, [])


def test_the_same_identity_with_another_profit_is_refused(tmp_path: Path) -> None:
    only = chunk(write(tmp_path, row(), row(profit="431"), row(ticket=7)))
    assert only.trades["position"].to_list() == [7]
    assert [one.line for one in only.refused] == [2, 3]
    assert "lines 2, 3" in only.refused[0].reason


def test_an_identity_is_the_same_for_ever() -> None:
    # Pinned: stored trades carry these numbers.
    assert journal_ticket(1140, 1772028363000, 150_000_000) == -2615678663830999545
    assert journal_ticket(1140, 1772028363999, 150_000_000) == -2615678663830999545


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (row(volume="0"), "volume_not_positive", "Volume '0'"),
        (row(price="0"), "price_not_positive", "the first Price '0'"),
        (row(close="2026-02-25 14:05:00"), "close_before_open", "before"),
        (row(type_="gift"), "unknown_type", "gift"),
        (row(profit="1,000.50"), "not_a_number", "1,000.50"),
    ],
)
def test_bad_rows_are_refused(tmp_path: Path, line: str, code: str, words: str) -> None:
    only = chunk(write(tmp_path, row(ticket=1), line, row(ticket=2)))
    assert only.trades["position"].to_list() == [1, 2]
    (one,) = only.refused
    assert (one.line, one.code) == (3, code)
    assert words in one.reason


def test_cancelled_orders_are_counted(tmp_path: Path) -> None:
    assert chunk(write(tmp_path, row(type_="buy limit"), row())).cancelled == 1
