"""Documents that a client can edit, in the forms that terminals write: a few rows each."""

from __future__ import annotations

from decimal import Decimal

CAPTIONS = ("Ticket", "Open Time", "Type", "Size", "Item", "Price", "S / L", "T / P",
            "Close Time", "Price", "Commission", "Taxes", "Swap", "Profit")  # fmt: skip


def statement_row(ticket: int, lots: str = "0.10", profit: str = "10.00") -> str:
    """A closed buy of EURUSD, an hour long."""
    cells = [
        str(ticket), "2026.03.02 10:00:00", "buy", lots, "eurusd", "1.10000", "0.00000", "0.00000",
        "2026.03.02 11:00:00", "1.10100", "0.00", "0.00", "0.00", profit,
    ]  # fmt: skip
    return "<tr align=right>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def mt4_statement(
    *rows: str, printed: str, when: str = "2026 March 31, 18:05", account: int = 1001
) -> str:
    """A detailed statement of MT4: its closed rows, and the Closed P/L that it prints."""
    heads = "".join(f"<td>{caption}</td>" for caption in CAPTIONS)
    body = "\n".join(rows)
    return f"""<html><head><title>Statement: {account}</title></head><body><table>
<tr align=left><td colspan=2><b>Account: {account}</b></td><td colspan=5><b>Name: A Client</b></td>
<td colspan=2><b>Currency: USD</b></td><td colspan=2><b>Leverage: 1:100</b></td>
<td colspan=3 align=right><b>{when}</b></td></tr>
<tr align=left><td colspan=13><b>Closed Transactions:</b></td></tr>
<tr align=center bgcolor="#C0C0C0">{heads}</tr>
{body}
<tr align=right><td colspan=10>&nbsp;</td><td>0.00</td><td>0.00</td><td>0.00</td>
<td>{printed}</td></tr>
<tr align=right><td colspan=12 align=right><b>Closed P/L:</b></td>
<td colspan=2 align=right><b>{printed}</b></td></tr>
<tr align=left><td colspan=14><b>Open Trades:</b></td></tr>
</table></body></html>
"""


def mt5_report(lots: str = "0.10") -> str:
    """A trade history report of MT5 with one position of account 5001, opened and closed."""
    bought = "<tr><td>2026.03.02 10:00:00</td><td>{}</td><td>EURUSD</td><td>{}</td>"
    profit = Decimal(lots) * 100
    positions = ("Time", "Position", "Symbol", "Type", "Volume", "Price", "S / L", "T / P", "Time",
                 "Price", "Commission", "Swap", "Profit")  # fmt: skip
    deals = ("Time", "Deal", "Symbol", "Type", "Direction", "Volume", "Price", "Order",
             "Commission", "Fee", "Swap", "Profit", "Balance", "Comment")  # fmt: skip
    return f"""<html><head><title>5001: A Client - Trade History Report</title></head><body><table>
<tr><th colspan=3>Account:</th><th colspan=10>5001 (USD, Broker-Live, real, Hedge)</th></tr>
<tr><th colspan=3>Date:</th><th colspan=10>2026.03.31 18:05</th></tr>
<tr><th colspan=13>Positions</th></tr>
<tr>{"".join(f"<td><b>{name}</b></td>" for name in positions)}</tr>
{bought.format(900, "buy")}<td>{lots}</td><td>1.10000</td><td></td><td></td>
<td>2026.03.02 11:00:00</td><td>1.10100</td><td>0.00</td><td>0.00</td><td>{profit:.2f}</td></tr>
<tr><th colspan=14>Deals</th></tr>
<tr>{"".join(f"<td><b>{name}</b></td>" for name in deals)}</tr>
{bought.format(800, "buy")}<td>in</td><td>{lots}</td><td>1.10000</td><td>900</td>
<td>0.00</td><td>0.00</td><td>0.00</td><td>0.00</td><td>0.00</td><td></td></tr>
<tr><td>2026.03.02 11:00:00</td><td>801</td><td>EURUSD</td><td>sell</td><td>out</td><td>{lots}</td>
<td>1.10100</td><td>901</td><td>0.00</td><td>0.00</td><td>0.00</td><td>{profit:.2f}</td>
<td>{profit:.2f}</td><td></td></tr>
</table></body></html>
"""
