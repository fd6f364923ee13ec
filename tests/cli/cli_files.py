"""Small files in every form that `pipshare` reads: what they hold can be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scenarios import small_broker

from pipshare.pipeline import Run
from pipshare.pipeline.loads import apply_plan, load

# The stories' broker, with brackets that a terminal must not take for markup, and a third.
LOADS = small_broker.LOADS | {
    "partners": small_broker.LOADS["partners"].replace("Master", "Master [Ltd]")
}
PLAN = small_broker.PLAN.replace('"1.00"', '"1/3"')
TERMS = small_broker.TERMS

_STATEMENT_ROW = (
    "<tr align=right><td>{}</td><td>2026.03.02 10:00:00</td><td>{}</td><td>{}</td><td>eurusd</td>"
    "<td>1.10000</td><td>0.00000</td><td>0.00000</td><td>2026.03.02 11:00:00</td><td>1.10100</td>"
    "<td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>"
)
_CAPTIONS = "".join(
    f"<td>{name}</td>"
    for name in ("Ticket", "Open Time", "Type", "Size", "Item", "Price", "S / L", "T / P",
                 "Close Time", "Price", "Commission", "Taxes", "Swap", "Profit")
)  # fmt: skip
STATEMENT = f"""<html><head><title>Statement: 1001</title></head><body><table>
<tr align=left><td colspan=2><b>Account: 1001</b></td><td colspan=5><b>Name: A Client</b></td>
<td colspan=2><b>Currency: USD</b></td><td colspan=2><b>Leverage: 1:100</b></td>
<td colspan=3 align=right><b>2026 March 31, 18:05</b></td></tr>
<tr align=left><td colspan=13><b>Closed Transactions:</b></td></tr>
<tr align=center bgcolor="#C0C0C0">{_CAPTIONS}</tr>
{_STATEMENT_ROW.format(1, "buy", "0.10", "-0.70", "-0.05", "-0.25", "1 010.00")}
{_STATEMENT_ROW.format(2, "sell", "0.25", "0.00", "0.00", "0.00", "-20.00")}
<tr align=right><td>3</td><td>2026.03.01 09:00:00</td><td>balance</td>
<td colspan=10 align=left>Deposit</td><td>1 000.00</td></tr>
<tr align=right><td title="cancelled">4</td><td>2026.03.04 10:00:00</td><td>buy limit</td>
<td>0.10</td><td>eurusd</td><td>1.05000</td><td>0.00000</td><td>0.00000</td>
<td>2026.03.05 10:00:00</td><td>1.08000</td><td colspan=4>cancelled</td></tr>
<tr align=right><td colspan=10>&nbsp;</td><td>-0.70</td><td>-0.05</td><td>-0.25</td>
<td>990.00</td></tr>
<tr align=right><td colspan=12 align=right><b>Closed P/L:</b></td>
<td colspan=2 align=right><b>989.00</b></td></tr>
<tr align=left><td colspan=14><b>Open Trades:</b></td></tr>
</table></body></html>
"""
MANAGER_HEADER = (
    "Deal,Login,Open Time,Type,Symbol,Volume,Open Price,S/L,T/P,Close Time,Close Price,Reason,"
    "Gateway Order,Gateway Volume,Open Price Delta,Close Price Delta,Agent,Commission,Taxes,Swap,"
    "Profit,Points,Comment,,\n"
)


def manager_row(ticket: int, lots: str = "0.10", login: int = 1001, symbol: str = "EURUSD") -> str:
    """A closed buy, as a line of an MT4 Manager export."""
    return (
        f"{ticket},{login},2026.03.02 10:00:00,buy,{symbol},{lots},1.10000,0,0,"
        "2026.03.02 11:00:00,1.10100,Client,,,,,0,-0.70,0,-0.30,10.00,100,,,USD\n"
    )


MANAGER = (
    MANAGER_HEADER
    + manager_row(1)
    + manager_row(2, "0.20")
    + manager_row(3, "-1")
    + "4,1001,2026.03.01 09:00:00,balance,Deposit,,,,,,,Client,,,,,0,,,,500.00,,,,USD\n"
)
_SQL_NAMES = (
    "Deal, Timestamp, ExternalID, Login, Dealer, `Order`, Action, Entry, Reason, Digits, "
    "DigitsCurrency, ContractSize, Time, TimeMsc, Symbol, Price, VolumeExt, Profit, Storage, "
    "Commission, RateProfit, RateMargin, ExpertID, PositionID, Comment, ProfitRaw, PricePosition, "
    "VolumeClosedExt, TickValue, TickSize, Flags, Gateway, PriceGateway, ModifyFlags, MarketBid, "
    "MarketAsk, MarketLast, Fee"
)


def _sql_deal(deal: int, action: int, entry: int, time: str, money: str) -> str:
    closed = "10000000" if entry else "0"
    return (
        f"({deal},0,'',5001,0,{deal + 100},{action},{entry},0,5,2,100000.0,'{time}',"
        f"'{time}.000000','EURUSD',1.1,10000000,{money},1,1,0,900,'',0,1.1,{closed},0,0,0,'',0,0,"
        "1.1,1.1,0,0)"
    )


SQL = (
    f"INSERT INTO mt5_deals_2026 ({_SQL_NAMES}) VALUES\n"
    + _sql_deal(800, 0, 0, "2026-03-02 10:00:00", "0,0,-0.35")
    + ",\n"
    + _sql_deal(801, 1, 1, "2026-03-02 11:00:00", "10.00,-0.30,-0.35")
    + ";\n"
)
REPORT = """<html><head><title>5001: A Client - Trade History Report</title></head><body><table>
<tr><th colspan=3>Account:</th><th colspan=10>5001 (USD, Broker-Live, real, Hedge)</th></tr>
<tr><th colspan=3>Date:</th><th colspan=10>2026.03.31 18:05</th></tr>
<tr><th colspan=13>Positions</th></tr>
<tr><td>Time</td><td>Position</td><td>Symbol</td><td>Type</td><td>Volume</td><td>Price</td>
<td>S / L</td><td>T / P</td><td>Time</td><td>Price</td><td>Commission</td><td>Swap</td>
<td>Profit</td></tr>
<tr><td>2026.03.02 10:00:00</td><td>900</td><td>EURUSD</td><td>buy</td><td>0.10</td><td>1.1</td>
<td></td><td></td><td>2026.03.02 11:00:00</td><td>1.101</td><td>-0.70</td><td>-0.30</td>
<td>10.00</td></tr>
<tr><th colspan=14>Deals</th></tr>
<tr><td>Time</td><td>Deal</td><td>Symbol</td><td>Type</td><td>Direction</td><td>Volume</td>
<td>Price</td><td>Order</td><td>Commission</td><td>Fee</td><td>Swap</td><td>Profit</td>
<td>Balance</td><td>Comment</td></tr>
<tr><td>2026.03.01 10:00:00</td><td>799</td><td></td><td>balance</td><td></td><td></td><td></td>
<td></td><td>0.00</td><td>0.00</td><td>0.00</td><td>500.00</td><td>500.00</td><td>Deposit</td></tr>
<tr><td>2026.03.02 10:00:00</td><td>800</td><td>EURUSD</td><td>buy</td><td>in</td><td>0.10</td>
<td>1.1</td><td>900</td><td>-0.35</td><td>0.00</td><td>0.00</td><td>0.00</td><td>499.65</td>
<td></td></tr>
<tr><td>2026.03.02 11:00:00</td><td>801</td><td>EURUSD</td><td>sell</td><td>out</td><td>0.10</td>
<td>1.101</td><td>901</td><td>-0.35</td><td>0.00</td><td>-0.30</td><td>10.00</td><td>509.00</td>
<td></td></tr>
</table></body></html>
"""
JOURNAL = (
    "Ticket;Open;Type;Volume;Symbol;Price;SL;TP;Close;Price;Swap;Commissions;Profit;Pips;"
    '"Trade duration in seconds"\n'
    '7;"2026-03-02 10:00:00";buy;0.10;EURUSD;1.1;0;0;"2026-03-02 11:00:00";1.2;-0.1;-0.2;10;10;9\n'
    '7;"2026-03-02 10:00:00";buy;0.30;EURUSD;1.1;0;0;"2026-03-02 12:00:00";1.2;0;0;30;10;9\n'
)
OWN = (
    "ticket,login,symbol,side,lots,open_time,close_time,open_price,close_price,commission,profit\n"
    "501,1001,EURUSD,buy,0.10,2026.03.02 09:00:00,2026.03.02 10:00:00,1.17,1.171,-0.70,10\n"
    "502,1002,EURUSD,sell,0,2026.03.02 09:00:00,2026.03.02 10:00:00,1.17,1.171,-0.70,10\n"
)


def load_broker(conn: Any, folder: Path) -> Run:
    """Load the broker above through the doors that a person uses, and leave its files."""
    run = Run(conn)
    (folder / "std.toml").write_text(PLAN)
    for kind, text in [*LOADS.items(), ("terms", TERMS)]:
        path = folder / f"{kind}.csv"
        path.write_text(text)
        if kind == "terms":
            apply_plan(run, folder / "std.toml", by="anna")
        assert not load(run, kind, path, by="anna").reports[0].refused
    return run
