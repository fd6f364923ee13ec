"""Write trades in the forms of real exports: MT4 Manager CSV, and MT5 SQL rows as CSV."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from pipshare.sandbox.broker import FIRST_DAY, ClosedTrade
from pipshare.sandbox.cast import SUFFIX, Instrument

_MT4_HEADER = [
    "Deal", "Login", "Open Time", "Type", "Symbol", "Volume", "Open Price", "S/L", "T/P",
    "Close Time", "Close Price", "Reason", "Gateway Order", "Gateway Volume", "Open Price Delta",
    "Close Price Delta", "Agent", "Commission", "Taxes", "Swap", "Profit", "Points", "Comment",
    "", "",
]  # fmt: skip
_MT5_HEADER = [
    "Deal", "Timestamp", "ExternalID", "Login", "Dealer", "Order", "Action", "Entry", "Reason",
    "Digits", "DigitsCurrency", "ContractSize", "Time", "TimeMsc", "Symbol", "Price", "VolumeExt",
    "Profit", "Storage", "Commission", "RateProfit", "RateMargin", "ExpertID", "PositionID",
    "Comment", "ProfitRaw", "PricePosition", "VolumeClosedExt", "TickValue", "TickSize", "Flags",
    "Gateway", "PriceGateway", "ModifyFlags", "MarketBid", "MarketAsk", "MarketLast", "Fee",
]  # fmt: skip


def write_mt4(path: Path, trades: list[ClosedTrade]) -> None:
    """Write an MT4 Manager deals export, with the unnamed columns that end in the currency."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow(_MT4_HEADER)
        for trade in trades:
            out.writerow(_mt4_row(trade))


def _mt4_row(trade: ClosedTrade) -> list[str]:
    instrument = trade.instrument
    symbol = instrument.symbol.lower() + SUFFIX[trade.account.server]
    return [
        str(trade.ticket), str(trade.account.login), _time(trade.opened),
        "buy" if trade.buy else "sell", symbol, _cents(trade.lots),
        _price(instrument, trade.open_points), "0", "0", _time(trade.closed),
        _price(instrument, trade.close_points), "Client", "", "", "", "", "0",
        _cents(trade.commission), "0", _cents(trade.swap), _cents(trade.profit),
        str(abs(trade.close_points - trade.open_points)), "", "", trade.account.group.currency,
    ]  # fmt: skip


def write_mt5(path: Path, trades: list[ClosedTrade]) -> None:
    """Write MT5 deals as SQL Export keeps them, as CSV, in the order of their tickets.

    An export begins somewhere: opening deals before the first day are not in it.
    """
    first = datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day)
    rows: list[list[str]] = []
    for trade in trades:
        if trade.opened >= first:
            rows.append(_mt5_row(trade, opening=True))
        rows.append(_mt5_row(trade, opening=False))
    rows.sort(key=_deal)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(_MT5_HEADER)
        out.writerows(rows)


def _deal(row: list[str]) -> int:
    return int(row[0])


def _mt5_row(trade: ClosedTrade, *, opening: bool) -> list[str]:
    instrument = trade.instrument
    moment = trade.opened if opening else trade.closed
    points = trade.open_points if opening else trade.close_points
    buys = trade.buy if opening else not trade.buy
    volume = str(trade.lots * 1_000_000)
    price = _price(instrument, points)
    # The opening deal carries half of the commission, as brokers often book it.
    commission = trade.commission // 2 if opening else trade.commission - trade.commission // 2
    values = {
        "Deal": str(trade.open_deal if opening else trade.ticket), "Timestamp": "0",
        "Login": str(trade.account.login), "Dealer": "0",
        "Order": str(trade.position + (0 if opening else 1)), "Action": "0" if buys else "1",
        "Entry": "0" if opening else "1", "Reason": "0", "Digits": str(instrument.digits),
        "DigitsCurrency": "2", "ContractSize": str(instrument.contract),
        "Time": moment.strftime("%Y-%m-%d %H:%M:%S"),
        "TimeMsc": moment.strftime("%Y-%m-%d %H:%M:%S.000000"),
        "Symbol": instrument.symbol + SUFFIX[trade.account.server], "Price": price,
        "VolumeExt": volume, "Profit": "0" if opening else _cents(trade.profit),
        "Storage": "0" if opening else _cents(trade.swap), "Commission": _cents(commission),
        "RateProfit": "0" if opening else trade.rate_profit, "RateMargin": "1", "ExpertID": "0",
        "PositionID": str(trade.position), "ProfitRaw": "0",
        "PricePosition": "0" if opening else _price(instrument, trade.open_points),
        "VolumeClosedExt": "0" if opening else volume, "MarketBid": price,
        "MarketAsk": _price(instrument, points + 8), "ModifyFlags": "0", "Fee": "0",
    }  # fmt: skip
    return [values.get(name, "") or ("" if name in _TEXT else "0") for name in _MT5_HEADER]


_TEXT = {"ExternalID", "Comment", "Gateway"}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y.%m.%d %H:%M:%S")


def _price(instrument: Instrument, points: int) -> str:
    whole, part = divmod(points, 10**instrument.digits)
    return f"{whole}.{part:0{instrument.digits}d}"


def _cents(value: int) -> str:
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 100}.{abs(value) % 100:02d}"
