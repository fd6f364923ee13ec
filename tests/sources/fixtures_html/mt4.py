"""Statements as MT4 writes them, made up: the shapes of real files, none of their content."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import escape

ENGLISH = {
    "account": "Account", "name": "Name", "currency": "Currency", "leverage": "Leverage",
    "closed": "Closed Transactions:", "total": "Closed P/L:", "open": "Open Trades:",
    "floating": "Floating P/L:", "working": "Working Orders:", "summary": "Summary:",
    "captions": ("Ticket", "Open Time", "Type", "Size", "Item", "Price", "S / L", "T / P",
                 "Close Time", "Price", "Commission", "Taxes", "Swap", "Profit"),
}  # fmt: skip
RUSSIAN = ENGLISH | {
    "account": "Счет", "name": "Имя", "currency": "Валюта", "closed": "Закрытые сделки:",
    "total": "Закрытая прибыль:", "open": "Открытые сделки:",
    "captions": ("Тикет", "Время", "Тип", "Объем", "Символ", "Цена", "С / Л", "Т / П",
                 "Время", "Цена", "Комиссия", "Налог", "Своп", "Прибыль"),
}  # fmt: skip
JAPANESE = ENGLISH | {
    "account": "口座番号", "name": "お名前", "currency": "通貨", "closed": "決済済みの取引:",
    "total": "損益合計:", "open": "保有ポジション:",
    "captions": ("番号", "新規日時", "種別", "数量", "銘柄", "新規価格", "逆指値", "指値",
                 "決済日時", "決済価格", "手数料", "税金", "スワップ", "損益"),
}  # fmt: skip
CHINESE = ENGLISH | {
    "account": "账户", "name": "姓名", "currency": "货币", "closed": "已平仓交易:",
    "total": "平仓盈亏:", "open": "持仓交易:",
    "captions": ("订单", "开仓时间", "类型", "手数", "品种", "开仓价", "止损", "止盈",
                 "平仓时间", "平仓价", "手续费", "税金", "库存费", "盈利"),
}  # fmt: skip
_START = datetime(2025, 3, 3, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Trade:
    """One closed row. Money and lots are Decimal, prices text as printed."""

    ticket: int
    side: str = "buy"
    lots: Decimal = Decimal("0.10")
    symbol: str = "eurusd"
    opened: datetime = _START
    closed: datetime = _START + timedelta(hours=3)
    open_price: str = "1.08345"
    close_price: str = "1.08412"
    commission: Decimal = Decimal(0)
    taxes: Decimal = Decimal(0)
    swap: Decimal = Decimal(0)
    profit: Decimal = Decimal("6.70")
    comment: str = ""

    @property
    def pl(self) -> Decimal:
        """What the row adds to the Closed P/L."""
        return self.commission + self.taxes + self.swap + self.profit


@dataclass(frozen=True)
class Cash:
    """One balance row."""

    ticket: int
    amount: Decimal
    comment: str = "Deposit"
    type: str = "balance"
    when: datetime = _START


@dataclass(frozen=True)
class Cancelled:
    """One cancelled pending order."""

    ticket: int
    type: str = "buy limit"


@dataclass(frozen=True)
class Raw:
    """A row of markup that stands for itself; `pl` is what it adds to the printed total."""

    markup: str
    pl: Decimal = Decimal(0)


@dataclass(frozen=True)
class Style:
    """How the terminal of that language and currency writes."""

    words: dict[str, object]
    currency: str = "USD"
    places: int = 2
    blank: str = " "
    name: str = "Sample Client"
    account: str = "70001234"
    when: str = "2025 March 31, 18:05"
    width: int = 14


PLAIN = Style(ENGLISH)


def money(value: Decimal, style: Style = PLAIN) -> str:
    """Write an amount as the terminal does: blanks between thousands, decimals per currency."""
    return f"{value:,.{style.places}f}".replace(",", style.blank)


def statement(rows: list[object], style: Style = PLAIN, *, total: Decimal | None = None) -> str:
    """Write a detailed statement with `rows` in its closed section."""
    summed = sum((row.pl for row in rows if isinstance(row, Trade | Raw)), Decimal(0))
    printed = money(summed if total is None else total, style)
    words = style.words
    body = "\n".join(_row(row, number, style) for number, row in enumerate(rows))
    captions = [word for n, word in enumerate(words["captions"]) if style.width == 14 or n != 11]
    heads = "".join(f"<td nowrap>{word}</td>" for word in captions)
    return f"""<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">
<html>
  <head>
    <title>Statement: {style.account} - {escape(style.name)}</title>
    <meta name="generator" content="MetaQuotes Software Corp.">
    <style type="text/css">
    <!--
    .msdate {{ mso-number-format:"General Date"; }}
    .mspt   {{ mso-number-format:\\#\\,\\#\\#0\\.00;  }}
    //-->
    </style>
  </head>
<body topmargin=1 marginheight=1>
<div align=center>
<div style="font: 20pt Times New Roman"><b>Example Markets Ltd</b></div><br>

<table cellspacing=1 cellpadding=3 border=0>
<tr align=left>
    <td colspan=2><b>{words["account"]}: {style.account}</b></td>
    <td colspan=5><b>{words["name"]}: {escape(style.name)}</b></td>
    <td colspan=2><b>{words["currency"]}: {style.currency}</b></td>
    <td colspan=2><b>{words["leverage"]}: 1:100</b></td>
    <td colspan=3 align=right><b>{style.when}</b></td></tr>

<tr align=left><td colspan=13><b>{words["closed"]}</b></td></tr>
<tr align=center bgcolor="#C0C0C0">
   {heads}</tr>
{body or "<tr align=right><td colspan=13 align=center>No transactions</td></tr>"}


<tr align=right>
    <td colspan=10>&nbsp;</td>
    <td class=mspt><!--CLOSED_Commission--></td>
    <td class=mspt>0</td>
    <td class=mspt>{printed}</td>
</tr>

<tr align=right>
    <td colspan=12 align=right><b>{words["total"]}</b></td>
    <td colspan=2 align=right title="Commission + Swap + Profit + Taxes"
    class=mspt><b>{printed}</b></td>
</tr>
{_after(style)}
</table>
</div></body></html>
"""


def _after(style: Style) -> str:
    """Open trades, working orders and a summary: none of it may be taken for a closed trade."""
    words = style.words
    heads = "".join(f"<td>{word}</td>" for word in words["captions"][:8])
    held = _row(Trade(99_000_001, comment="from #1"), 0, replace(style, width=14))
    held = held.replace("<td class=msdate nowrap>2025.03.03 12:00:00</td>", "<td>&nbsp;</td>")
    return f"""<tr align=left><td colspan=14><b>{words["open"]}</b></td></tr>
<tr align=center bgcolor="#C0C0C0">{heads}<td>&nbsp;</td>{heads[: len(heads) // 8 * 5]}</tr>
{held}
<tr align=right><td colspan=10>&nbsp;</td><td>0</td><td>0</td><td>0</td><td>5.00</td></tr>
<tr><td colspan=10>&nbsp;</td><td colspan=2><b>{words["floating"]}</b></td>
<td colspan=2><b>5.00</b></td></tr>
<tr align=left><td colspan=14><b>{words["working"]}</b></td></tr>
<tr align=center bgcolor="#C0C0C0">{heads}<td colspan=2 nowrap>Market</td>
<td colspan=4>&nbsp;</td></tr>
<tr align=right><td>99000002</td><td>2025.03.30 10:00:00</td><td>buy limit</td><td>0.10</td>
<td>eurusd</td><td>1.00000</td><td>0.00000</td><td>0.00000</td><td colspan=2>1.08000</td>
<td colspan=4>&nbsp;</td></tr>
<tr align=left><td colspan=14><b>{words["summary"]}</b></td></tr>
<tr align=right><td colspan=2><b>Balance:</b></td>
<td colspan=2 class=mspt><b>1 000.00</b></td></tr>"""


def _row(row: object, number: int, style: Style) -> str:
    tint = "bgcolor=#E0E0E0 " if number % 2 else ""
    if isinstance(row, Raw):
        return row.markup
    if isinstance(row, Cash):
        title = f' title="{escape(row.comment)}"' if row.comment else ""
        return (
            f"<tr {tint}align=right><td{title}>{row.ticket}</td><td class=msdate nowrap>"
            f"{row.when:%Y.%m.%d %H:%M:%S}</td><td>{row.type}</td><td colspan=10 align=left>"
            f"{escape(row.comment)}</td><td class=mspt>{money(row.amount, style)}</td></tr>"
        )
    if isinstance(row, Cancelled):
        return (
            f'<tr {tint}align=right><td title="cancelled">{row.ticket}</td><td class=msdate nowrap>'
            f"2025.03.04 10:00:00</td><td>{row.type}</td><td class=mspt>0.10</td><td>eurusd</td>"
            "<td>1.05000</td><td>0.00000</td><td>0.00000</td><td class=msdate nowrap>"
            "2025.03.05 10:00:00</td><td>1.08000</td><td colspan=4>cancelled</td></tr>"
        )
    assert isinstance(row, Trade)
    title = f' title="{escape(row.comment)}"' if row.comment else ""
    price = '<td style="mso-number-format:0\\.00000;">'
    taxes = f"<td class=mspt>{money(row.taxes, style)}</td>" if style.width == 14 else ""
    return (
        f"<tr {tint}align=right><td{title}>{row.ticket}</td><td class=msdate nowrap>"
        f"{row.opened:%Y.%m.%d %H:%M:%S}</td><td>{row.side}</td><td class=mspt>{row.lots}</td>"
        f"<td>{escape(row.symbol)}</td>{price}{row.open_price}</td>{price}0.00000</td>"
        f"{price}0.00000</td><td class=msdate nowrap>{row.closed:%Y.%m.%d %H:%M:%S}</td>"
        f"{price}{row.close_price}</td><td class=mspt>{money(row.commission, style)}</td>{taxes}"
        f"<td class=mspt>{money(row.swap, style)}</td><td class=mspt>{money(row.profit, style)}"
        "</td></tr>"
    )
