"""An MT5 report says the same as HTML and as XLSX, in any language and charset."""

import io
import random
import zipfile
from pathlib import Path

import pytest
from fixtures_html import mt5
from hypothesis import given, settings
from hypothesis import strategies as st

from pipshare.errors import BadInput
from pipshare.money import format_e8
from pipshare.sources.files import read
from pipshare.sources.files.markup import Rows
from pipshare.sources.mt5_report.grid import page_rows
from pipshare.sources.mt5_report.parse import parse_report
from pipshare.sources.reading import Chunk, Meta

OPEN, CLOSE = "2025.06.02 09:15:02", "2025.06.03 11:40:31"
POSITIONS = [
    mt5.position(5001, opened=OPEN, price="1.09000", closed=CLOSE, close_price="1.10000",
                 commission="-0.70", swap="-0.11", profit="100.00"),
    mt5.position(5002, side="sell", lots="1.5", opened=OPEN, price="1 234.50", closed=CLOSE,
                 close_price="1 230.00", profit="675.00", symbol="XAUUSD.x"),
]  # fmt: skip
DEALS = [
    mt5.balance(9000, "1 000.00", "Deposit from card"),
    mt5.deal(9001, time=OPEN, type="buy", entry="in", price="1.09000", order="5001",
             commission="-0.35"),
    mt5.deal(9002, time=CLOSE, price="1.10000", order="5003", commission="-0.35", fee="-0.05",
             swap="-0.11", profit="100.00", comment="[tp 1.10000]"),
    mt5.deal(9003, time=CLOSE, type="buy", lots="1.5", price="1 230.00", order="5004",
             profit="675.00", symbol="XAUUSD.x", comment="[so 18.80%/0.94/5.00]"),
    mt5.balance(9004, "-20.00", "no comment", type="so compensation"),
]  # fmt: skip
ORDERS = [mt5.order(1, "filled"), mt5.order(2, "canceled", "1 / 0"),
          mt5.order(3, "rejected", "1 / 0"), mt5.order(4, "canceled", "1 / 0.5"),
          mt5.order(5, "отменен", "1 / 0")]  # fmt: skip


def report(**changes: object) -> mt5.Report:
    settings = {"results": ("774.49", "774.60", "-0.11"), **changes}
    return mt5.Report(DEALS, POSITIONS, ORDERS, **settings)


FORMS = {
    "html utf-16": lambda r: mt5.html(r).encode("utf-16"),
    "html utf-16 bare": lambda r: mt5.html(r).encode("utf-16-le"),
    "html utf-8": lambda r: mt5.html(r).encode(),
    "xlsx": mt5.xlsx,
    "xlsx utf-8": lambda r: mt5.xlsx(r, encoding="utf-8"),
    "xlsx inline": lambda r: mt5.xlsx(r, inline=True),
}
VARIANTS = {
    "plain": {},
    "hidden cost": {"cost": "hidden"},
    "shown cost": {"cost": "shown"},
    "blank cell": {"blank": True},
    "russian": {"words": mt5.RUSSIAN},
    "russian, shown cost": {"words": mt5.RUSSIAN, "cost": "shown"},
}


def parsed(data: bytes, tmp_path: Path) -> tuple[Meta, Chunk]:
    path = tmp_path / "report"
    path.write_bytes(data)
    reading = read(path)
    (chunk,) = reading.chunks()
    return reading.meta, chunk


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_form_and_variant_says_the_same(form: str, variant: str, tmp_path: Path) -> None:
    meta, chunk = parsed(FORMS[form](report(**VARIANTS[variant])), tmp_path)
    assert (meta.format, meta.platform, meta.provenance) == ("mt5_report", "mt5", "client")
    assert (meta.account, meta.currency, meta.server) == (70001234, "USD", "Example-Live7")
    assert meta.report_ms == 1751307240000  # 2025-06-30 18:14
    assert meta.encoding == ("utf-8" if "utf-8" in form else "utf-16")
    assert format_e8(meta.closed_pl_printed_e8 or 0) == "774.49"
    told = ("ticket", "position", "symbol", "side", "reason", "opening")
    assert chunk.trades.select(told).rows() == [
        (9002, 5001, "EURUSD.x", 1, 4, 1), (9003, 5002, "XAUUSD.x", -1, 5, 1)]  # fmt: skip
    assert chunk.trades.select("lots_e8", "open_price_e8", "close_price_e8").rows() == [
        (10**7, 109000000, 110000000), (15 * 10**7, 123450000000, 123000000000)]  # fmt: skip
    money = chunk.trades.select("commission_e8", "fee_e8", "swap_e8", "profit_e8").rows()
    assert money == [(-70000000, -5000000, -11000000, 10**10), (0, 0, 0, 67500000000)]
    assert chunk.trades.select("open_ms", "close_ms").rows()[0] == (1748855702000, 1748950831000)
    assert chunk.cash.select("ticket", "kind", "amount_e8").rows() == [
        (9000, "deposit", 10**11), (9004, "compensation", -20 * 10**8)]  # fmt: skip
    assert (chunk.cancelled, chunk.refused) == (3, [])


def test_a_cent_account_says_so(tmp_path: Path) -> None:
    account = "70001234 (USC, Exness-MT5Real25, real, Hedge)"
    meta, _ = parsed(mt5.xlsx(report(account=account)), tmp_path)
    assert (meta.currency, meta.server) == ("USC", "Exness-MT5Real25")


def test_without_results_no_total_is_printed(tmp_path: Path) -> None:
    assert parsed(mt5.xlsx(report(results=None)), tmp_path)[0].closed_pl_printed_e8 is None


def test_a_report_of_no_deals_is_a_report(tmp_path: Path) -> None:
    for data in (mt5.xlsx(mt5.Report([])), mt5.html(mt5.Report([])).encode()):
        meta, chunk = parsed(data, tmp_path)
        assert (meta.account, len(chunk.trades), len(chunk.cash)) == (70001234, 0, 0)


def test_old_builds_without_a_fee_column(tmp_path: Path) -> None:
    words = mt5.RUSSIAN | {"deals": tuple(w for w in mt5.RUSSIAN["deals"] if w != "Сбор")}
    deals = [row[:9] + row[10:] for row in DEALS]
    for data in (mt5.xlsx(mt5.Report(deals, POSITIONS, words=words)),
                 mt5.html(mt5.Report(deals, POSITIONS, words=words)).encode()):  # fmt: skip
        _, chunk = parsed(data, tmp_path)
        money = chunk.trades.select("commission_e8", "fee_e8", "swap_e8", "profit_e8").rows()
        assert money == [(-70000000, 0, -11000000, 10**10), (0, 0, 0, 67500000000)]


@pytest.mark.parametrize("form", ["html utf-8", "xlsx"])
def test_bad_deals_are_refused_with_their_line_and_the_rest_is_kept(
    form: str, tmp_path: Path
) -> None:
    bad = [
        ("volume_not_positive", mt5.deal(1, time=CLOSE, lots="0")),
        ("price_not_positive", mt5.deal(2, time=CLOSE, price="0.00000")),
        ("not_a_number", mt5.deal(3, time=CLOSE, profit="1,000.50")),
        ("bad_time", mt5.deal(444, time="yesterday")),
        ("unknown_direction", mt5.deal(5, time=CLOSE, entry="выход")),
        ("unknown_type", mt5.deal(6, time=CLOSE, type="acheter")),
        ("empty_field", mt5.deal(7, time=CLOSE, symbol="")),
        ("not_a_number", mt5.deal(8, time=CLOSE, lots="zehn")),
        ("cell_too_long", mt5.deal(9, time=CLOSE, comment="x" * 5000)),
    ]
    whole = mt5.Report([*DEALS, *(row for _, row in bad)], POSITIONS)
    _, chunk = parsed(FORMS[form](whole), tmp_path)
    assert chunk.trades["ticket"].to_list() == [9002, 9003]
    assert [refusal.code for refusal in chunk.refused] == [code for code, _ in bad]
    lines = [refusal.line for refusal in chunk.refused]
    assert lines == list(range(lines[0], lines[0] + len(bad)))
    assert all(f"deal {row[1]}:" in refusal.reason
               for refusal, (_, row) in zip(chunk.refused, bad, strict=True))  # fmt: skip


def test_a_repeated_deal_with_other_content_is_refused(tmp_path: Path) -> None:
    again = mt5.deal(9003, time=CLOSE, type="buy", lots="2.5", price="1 230.00", order="5004",
                     symbol="XAUUSD.x")  # fmt: skip
    _, chunk = parsed(mt5.xlsx(mt5.Report([*DEALS, again], POSITIONS)), tmp_path)
    assert chunk.trades["ticket"].to_list() == [9002]
    assert len(chunk.refused) == 2


def test_ten_megabytes_in_a_cell_of_a_page_cost_one_row(tmp_path: Path) -> None:
    long = mt5.deal(9009, time=CLOSE, comment="x" * 10_500_000)
    deals = [*DEALS, long, mt5.balance(9010, "1.00", "")]
    _, chunk = parsed(mt5.html(mt5.Report(deals, POSITIONS)).encode(), tmp_path)
    assert chunk.trades["ticket"].to_list() == [9002, 9003]
    assert [refusal.code for refusal in chunk.refused] == ["cell_too_long"]
    assert chunk.cash["ticket"].to_list() == [9000, 9004, 9010]


@pytest.mark.parametrize("long", ["y" * 10_500_000, random.Random(1).randbytes(5_500_000).hex()])
def test_ten_megabytes_in_a_cell_of_a_sheet_end_in_a_sentence(long: str, tmp_path: Path) -> None:
    deals = [*DEALS, mt5.deal(9009, time=CLOSE, comment=long)]
    with pytest.raises(BadInput, match="export it again"):
        parsed(mt5.xlsx(mt5.Report(deals, POSITIONS)), tmp_path)


PAGE = mt5.html(report())


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(PAGE)), st.integers(0, 300), st.text(max_size=20))
def test_damage_to_a_page_is_refused_and_never_crashes(start: int, length: int, put: str) -> None:
    data = (PAGE[:start] + put + PAGE[start + length :]).encode("utf-8", "replace")
    try:
        _, chunk = parse_report(page_rows(Rows(data, "x")), "x", "utf-8")
    except BadInput:
        return
    assert chunk.trades.null_count().sum_horizontal().item() == 0
    assert (chunk.trades["lots_e8"] > 0).all()
    assert chunk.cash.null_count().sum_horizontal().item() == 0


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9, 0.999])
def test_a_truncated_workbook_is_refused(cut: float, tmp_path: Path) -> None:
    data = mt5.xlsx(report())
    with pytest.raises(BadInput) as refused:
        parsed(data[: int(len(data) * cut)], tmp_path)
    assert refused.value.code == "broken_xlsx"


def test_damaged_and_missing_parts_are_refused(tmp_path: Path) -> None:
    data = mt5.xlsx(report())
    with zipfile.ZipFile(tmp_path / "x", "w") as file:
        file.writestr("xl/workbook.xml", "<x/>")
    with pytest.raises(BadInput, match="has no sheet"):
        read(tmp_path / "x")
    at = data.index(b"first.xml") + 40
    for broken in (
        data[:at] + bytes(30) + data[at + 30 :],
        data.replace(b"first.xml", b"other.xml"),
    ):
        with pytest.raises(BadInput):
            parsed(broken, tmp_path)


@pytest.mark.parametrize("entity", ["&a;", "&d;"])
def test_entities_in_a_sheet_are_not_expanded(entity: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("TOP SECRET")
    types = (
        f'<!DOCTYPE worksheet [<!ENTITY a SYSTEM "file://{tmp_path}/secret">'
        f'<!ENTITY b "{"lol" * 1000}"><!ENTITY c "{"&b;" * 9}"><!ENTITY d "{"&c;" * 9}">]>'
    )
    with zipfile.ZipFile(io.BytesIO(mt5.xlsx(report(), encoding="utf-8", inline=True))) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    sheet = parts["xl/worksheets/first.xml"].decode()
    sheet = sheet.replace("<worksheet", f"{types}<worksheet").replace("from card", entity)
    parts["xl/worksheets/first.xml"] = sheet.encode()
    _, chunk = parsed(mt5.archive(parts), tmp_path)
    assert chunk.cash["comment"].to_list()[0] == "Deposit"


def test_a_report_without_deals_or_account_is_refused(tmp_path: Path) -> None:
    text = mt5.html(report())
    start, end = text.index("<div><b>Deals"), text.index("<div><b>Open Positions")
    with pytest.raises(BadInput, match="without a Deals section"):
        parsed((text[:start] + text[end:]).encode(), tmp_path)
    with pytest.raises(BadInput, match="no line with account"):
        parsed(mt5.xlsx(report(account="nobody")), tmp_path)
