"""A report in, its Reading out: rows of either form, sections, deals, trades."""

from __future__ import annotations

from collections.abc import Iterable

from pipshare.errors import BadInput
from pipshare.sources.files.decode import Opened
from pipshare.sources.files.markup import Rows
from pipshare.sources.mt5_report.columns import cash_columns, deal_columns, position_columns
from pipshare.sources.mt5_report.grid import Row, page_rows
from pipshare.sources.mt5_report.join import closed_trades
from pipshare.sources.mt5_report.sections import Sections, deal_places, walk
from pipshare.sources.mt5_report.xlsx import Workbook
from pipshare.sources.reading import CLIENT, Chunk, Meta, Reading

FORMAT = "mt5_report"


def read(opened: Opened) -> Reading:
    """Read a report. Raises BadInput when it is none, or has no Deals section."""
    name = opened.path.name
    if opened.head.startswith(b"PK"):
        book = Workbook(opened.data(), name)
        meta, chunk = parse_report(book.rows(), name, book.encoding())
    else:
        data, charset = opened.utf8()
        meta, chunk = parse_report(page_rows(Rows(data, name)), name, charset.name)
    return Reading(meta, lambda: iter([chunk]))


def parse_report(rows: Iterable[Row], name: str, encoding: str) -> tuple[Meta, Chunk]:
    """Parse the rows of a report; `name` and `encoding` are those of the file."""
    found = walk(rows)
    if found.account is None:
        raise BadInput(
            "no_account_line",
            f"{name} is no MT5 trade history report: it has no line with account, currency and "
            "server (a report of the strategy tester has none): export the account's history",
        )
    if not found.deals.captions:
        raise BadInput(
            "no_deals_section",
            f"{name} is an MT5 report without a Deals section, which identifies the trades: in "
            "the terminal's History tab choose Report for all, not for positions only",
        )
    meta = Meta(FORMAT, encoding, "mt5", CLIENT, found.account, found.currency, found.report_ms,
                closed_pl_printed_e8=found.net_profit_e8, server=found.server)  # fmt: skip
    return meta, _chunk(found, name)


def _chunk(found: Sections, name: str) -> Chunk:
    places = deal_places(found.deals.captions)
    if places is None:
        raise BadInput(
            "unknown_columns",
            f"{name}: its Deals section has {len(found.deals.captions)} columns, and reports of "
            "13 to 15 are known: switch the terminal to English and export it again",
        )
    login = found.account or 0
    deals, bad_deals = deal_columns(found.deals, places)
    positions, bad_positions = position_columns(found.positions)
    trades, lost = closed_trades(deals, positions, login)
    every = [*found.refused, *bad_deals, *bad_positions, *lost]
    return Chunk(
        trades=trades,
        cash=cash_columns(deals, login),
        refused=sorted(every, key=lambda refusal: refusal.line),
        cancelled=found.cancelled,
        first_line=found.first_line,
        last_line=found.last_line,
    )
