"""MT5 trade history reports, made up: one description, written as HTML or as XLSX."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from html import escape

ENGLISH = {
    "positions": ("Time", "Position", "Symbol", "Type", "Volume", "Price", "S / L", "T / P",
                  "Time", "Price", "Commission", "Swap", "Profit"),
    "orders": ("Open Time", "Order", "Symbol", "Type", "Volume", "Price", "S / L", "T / P",
               "Time", "State", "Comment"),
    "deals": ("Time", "Deal", "Symbol", "Type", "Direction", "Volume", "Price", "Order",
              "Commission", "Fee", "Swap", "Profit", "Balance", "Comment"),
    "open": ("Time", "Position", "Symbol", "Type", "Volume", "Price", "S / L", "T / P",
             "Market Price", "Swap", "Profit", "Comment"),
    "titles": ("Trade History Report", "Positions", "Orders", "Deals", "Open Positions",
               "Results"),
    "account": "Account:", "date": "Date:", "net": "Total Net Profit:", "cost": "Cost",
}  # fmt: skip
RUSSIAN = {
    "positions": ("Время", "Позиция", "Символ", "Тип", "Объем", "Цена", "С / Л", "Т / П",
                  "Время", "Цена", "Комиссия", "Своп", "Прибыль"),
    "orders": ("Время открытия", "Ордер", "Символ", "Тип", "Объем", "Цена", "С / Л", "Т / П",
               "Время", "Состояние", "Комментарий"),
    "deals": ("Время", "Сделка", "Символ", "Тип", "Направление", "Объем", "Цена", "Ордер",
              "Комиссия", "Сбор", "Своп", "Прибыль", "Баланс", "Комментарий"),
    "open": ("Время", "Позиция", "Символ", "Тип", "Объем", "Цена", "С / Л", "Т / П",
             "Рыночная цена", "Своп", "Прибыль", "Комментарий"),
    "titles": ("Отчет торговой истории", "Позиции", "Ордера", "Сделки", "Открытые позиции",
               "Результаты"),
    "account": "Счет:", "date": "Дата:", "net": "Чистая прибыль:", "cost": "Издержки",
}  # fmt: skip
_SPANS = {"positions": {12: 2}, "orders": {9: 2}, "open": {9: 2}}  # cells over two columns
Rows = list[tuple[str, ...]]


def position(number: int, *, side: str = "buy", lots: str = "0.1", opened: str, price: str,
             closed: str, close_price: str, commission: str = "0.00", swap: str = "0.00",
             profit: str = "0.00", symbol: str = "EURUSD.x") -> tuple[str, ...]:  # fmt: skip
    """Return one row of the Positions section."""
    return (opened, str(number), symbol, side, lots, price, "", "", closed, close_price,
            commission, swap, profit)  # fmt: skip


def deal(number: int, *, time: str, type: str = "sell", entry: str = "out", lots: str = "0.1",
         price: str = "1.10000", order: str = "1", commission: str = "0.00", fee: str = "0.00",
         swap: str = "0.00", profit: str = "0.00", comment: str = "",
         symbol: str = "EURUSD.x") -> tuple[str, ...]:  # fmt: skip
    """Return one row of the Deals section."""
    return (time, str(number), symbol, type, entry, lots, price, order, commission, fee, swap,
            profit, "1 000.00", comment)  # fmt: skip


def balance(number: int, amount: str, comment: str, *, type: str = "balance",
            time: str = "2025.06.02 08:00:00") -> tuple[str, ...]:  # fmt: skip
    """Return one balance operation of the Deals section."""
    return (time, str(number), "", type, "", "", "", "", "0.00", "0.00", "0.00", amount,
            "1 000.00", comment)  # fmt: skip


def order(number: int, state: str, fill: str = "0.1 / 0.1") -> tuple[str, ...]:
    """Return one row of the Orders section."""
    return ("2025.06.02 09:00:00", str(number), "EURUSD.x", "buy limit", fill, "1.10000", "", "",
            "2025.06.02 10:00:00", state, "")  # fmt: skip


@dataclass
class Report:
    """A report to be written. `results` are net profit, gross profit and gross loss."""

    deals: Rows
    positions: Rows = field(default_factory=list)
    orders: Rows = field(default_factory=list)
    results: tuple[str, str, str] | None = None
    words: dict = field(default_factory=lambda: ENGLISH)
    account: str = "70001234 (USD, Example-Live7, real, Hedge)"
    date: str = "2025.06.30 18:14"
    cost: str = ""  # "", "hidden" (as MT5 writes it) or "shown"
    blank: bool = False  # a blank cell after Type in data rows of Positions, without a class
    name: str = "Sample Client"

    def tables(self) -> list[tuple[str, str, tuple[str, ...], Rows]]:
        """Return (kind, title, captions, rows) of every section."""
        titles = self.words["titles"]
        held = ("2025.06.29 10:00:00", "990001", "GBPUSD.x", "buy", "0.5", "1.30000", "", "",
                "1.31000", "0.00", "500.00", "still open")  # fmt: skip
        return [
            ("positions", titles[1], self.words["positions"], self.positions),
            ("orders", titles[2], self.words["orders"], self.orders),
            ("deals", titles[3], self.words["deals"], self.deals),
            ("open", titles[4], self.words["open"], [held]),
        ]


def html(report: Report) -> str:
    """Write a report as the terminal's HTML."""
    parts = [
        "<!DOCTYPE html>\n<html><head>\n<title>70001234: Sample - Trade History Report</title>\n"
        '<meta name="generator" content="client terminal">\n<style type="text/css">\n<!--\n'
        '.msdate { mso-number-format:"General Date"; }\n.hidden { display: none; }\n//-->\n'
        '</style>\n</head>\n<body>\n<table cellspacing="1" cellpadding="3" border="0">\n'
        f'<tr align="center"><th colspan="14"><div><b>{report.words["titles"][0]}</b></div></th>'
        "</tr>\n"
    ]
    account = report.account.replace(" ", "&nbsp;", 1)
    for label, value in (("Name:", escape(report.name)), (report.words["account"], account),
                         (report.words["date"], report.date)):  # fmt: skip
        parts.append(
            f'<tr align="left"><th colspan="4" nowrap>{label}</th>'
            f'<th colspan="10"><b>{value}</b></th></tr>\n'
        )
    for kind, title, captions, rows in report.tables():
        parts.append(f'<tr align="center"><th colspan="14"><div><b>{title}</b></div></th></tr>\n')
        parts.append(_html_row(report, kind, [f"<b>{word}</b>" for word in captions], True))
        parts += [_html_row(report, kind, [escape(cell) for cell in row]) for row in rows]
        parts.append(f'<tr><td nowrap colspan="{8 if kind == "deals" else 10}"></td>'
                     "<td nowrap>0.00</td><td nowrap>0.00</td></tr>\n")  # fmt: skip
    parts.append("<tr><td>Balance:</td><td>1 000.00</td><td>Margin:</td><td>5.00</td></tr>\n")
    if report.results:
        net, gain, loss = report.results
        parts.append(f"<tr><th><div><b>{report.words['titles'][5]}</b></div></th></tr>\n")
        parts.append(
            f'<tr align="right"><td colspan="3">{report.words["net"]}</td><td><b>{net}</b></td>'
            f'<td colspan="3">Gross Profit:</td><td><b>{gain}</b></td>'
            f'<td colspan="3">Gross Loss:</td><td colspan="3"><b>{loss}</b></td></tr>\n'
        )
    return "".join([*parts, "</table></body></html>\n"])


def _html_row(report: Report, kind: str, cells: list[str], caption: bool = False) -> str:
    spans = _SPANS.get(kind, {})
    written = []
    for place, cell in enumerate(cells):
        if kind == "positions" and place == 4 and not caption:
            hidden = '<td class="hidden" colspan="8">my comment</td>'
            written.append("<td></td>" if report.blank else hidden)
        if kind == "deals" and place == 8 and report.cost:
            text = f"<b>{report.words['cost']}</b>" if caption else "-0.12"
            shown = report.cost == "shown"
            written.append(f"<td>{text}</td>" if shown else '<td nowrap class="hidden"></td>')
        span = f' colspan="{spans[place]}"' if place in spans else ""
        written.append(f"<td{span}>{cell}</td>")
    return f'<tr align="right">{"".join(written)}</tr>\n'


_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_LETTERS = "ABCDEFGHIJKLMNOP"


def sheet_rows(report: Report) -> list[dict[int, str]]:
    """Return the sheet as {column: text} per row, laid out as the terminal does."""
    rows = [{0: report.words["titles"][0]}, {0: "Name:", 3: report.name},
            {0: report.words["account"], 3: report.account},
            {0: report.words["date"], 3: report.date}]  # fmt: skip
    for kind, title, captions, table in report.tables():
        spans = _SPANS.get(kind, {})
        starts = [place + sum(extra - 1 for at, extra in spans.items() if at < place)
                  for place in range(len(captions))]  # fmt: skip
        rows.append({0: title})
        rows += [dict(zip(starts, cells, strict=True)) for cells in (captions, *table)]
        rows.append({8: "0.000000", 11: "12.34"})
    if report.results:
        net, gain, loss = report.results
        rows += [{0: report.words["titles"][5]},
                 {0: report.words["net"], 3: net, 4: "Gross Profit:", 7: gain,
                  8: "Gross Loss:", 11: loss}]  # fmt: skip
    return rows


def xlsx(report: Report, *, encoding: str = "utf-16", inline: bool = False) -> bytes:
    """Write a report as the terminal's XLSX: UTF-16 parts, texts in the shared strings."""
    strings: dict[str, int] = {}
    body = []
    for number, cells in enumerate(sheet_rows(report), 1):
        written = [f'<c r="{_LETTERS[c]}{number}"{_cell(text, strings, inline)}'
                   for c, text in cells.items() if text]  # fmt: skip
        body.append(f'<row r="{number}">{"".join(written)}<c r="O{number}" s="1"/></row>')
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    parts = {
        "xl/workbook.xml": f'<workbook {_S} xmlns:r="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships"><sheets><sheet name="Report" sheetId="1" r:id="rId7"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/'
        'package/2006/relationships"><Relationship Id="rId7" Target="worksheets/first.xml"/>'
        "</Relationships>",
        "xl/sharedStrings.xml": f"<sst {_S}>{shared}</sst>",
        "xl/worksheets/first.xml": f"<worksheet {_S}><sheetData>{''.join(body)}</sheetData>"
        "</worksheet>",
    }
    return archive({name: f'<?xml version="1.0"?>\r\n{text}'.encode(encoding)
                    for name, text in parts.items()})  # fmt: skip


def archive(parts: dict[str, bytes]) -> bytes:
    """Pack parts into a ZIP archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in parts.items():
            file.writestr(name, data)
    return packed.getvalue()


def _cell(text: str, strings: dict[str, int], inline: bool) -> str:
    plain = text.replace(" ", "")
    if plain.lstrip("-").replace(".", "", 1).isdigit() and not text.startswith("0.1"):
        return f"><v>{plain}</v></c>"  # a figure; volumes are texts
    if inline:
        return f' t="inlineStr"><is><t>{escape(text)}</t></is></c>'
    return f' t="s"><v>{strings.setdefault(text, len(strings))}</v></c>'
