"""A statement gives the same columns in any language and charset: its own total is the oracle."""

from decimal import Decimal
from pathlib import Path

import pytest
from fixtures_html import mt4
from hypothesis import given, settings
from hypothesis import strategies as st
from test_mt4_statement_rows import summed

from pipshare.errors import BadInput
from pipshare.money import to_e8
from pipshare.period import from_ms
from pipshare.sources.files import read
from pipshare.sources.mt4_statement import parse_statement

LANGUAGES = [
    ("utf-8", mt4.Style(mt4.ENGLISH, name="José Güell", blank="\u00a0")),
    ("cp1252", mt4.Style(mt4.ENGLISH, name="José Güell")),
    ("cp1251", mt4.Style(mt4.RUSSIAN, name="Иван Образцов", currency="RUR")),
    ("cp932", mt4.Style(mt4.JAPANESE, name="見本 太郎", currency="JPY", places=0)),
    ("gb18030", mt4.Style(mt4.CHINESE, name="王小明", currency="USC")),
    ("utf-16", mt4.Style(mt4.CHINESE, name="王小明")),
    ("utf-16-le", mt4.Style(mt4.RUSSIAN, name="Иван Образцов", blank="\u202f")),
    ("utf-8-sig", mt4.Style(mt4.JAPANESE, name="見本 太郎")),
]


@pytest.mark.parametrize(("codec", "style"), LANGUAGES, ids=[codec for codec, _ in LANGUAGES])
def test_the_printed_total_is_reached_in_every_charset(
    codec: str, style: mt4.Style, tmp_path: Path
) -> None:
    rows: list[object] = [mt4.Cash(1, Decimal("1250000"), "入金" if "cp" not in codec else "x")]
    rows += [
        mt4.Trade(100 + n, side="sell" if n % 2 else "buy", lots=Decimal(n).scaleb(-2),
                  commission=Decimal(-n), profit=Decimal(n * 1117 - 20_000),
                  swap=Decimal(-n % 5), taxes=Decimal(n % 3))
        for n in range(1, 40)
    ]  # fmt: skip
    path = tmp_path / "x"
    path.write_bytes(mt4.statement(rows, style).encode(codec))
    reading = read(path)
    (chunk,) = reading.chunks()
    assert reading.meta.encoding == codec.removesuffix("-sig").removesuffix("-le")
    assert (reading.meta.account, reading.meta.currency) == (70001234, style.currency)
    assert reading.meta.closed_pl_printed_e8 == to_e8(sum(row.pl for row in rows[1:]))
    assert summed(chunk) == reading.meta.closed_pl_printed_e8
    assert (len(chunk.trades), chunk.refused) == (39, [])
    assert chunk.cash["amount_e8"].to_list() == [to_e8(1250000)]


cents = st.integers(-(10**9), 10**9).map(lambda n: Decimal(n).scaleb(-2))
prices = st.integers(1, 10**10).map(lambda n: f"{Decimal(n).scaleb(-5):f}")
moments = st.integers(10**9, 2 * 10**9).map(lambda s: from_ms(s * 1000))
words = st.text("abcXYZ019.#-_+@", min_size=1, max_size=12).filter(lambda w: w.lower() != "profit")


@st.composite
def trades(draw: st.DrawFn) -> mt4.Trade:
    opened, closed = sorted((draw(moments), draw(moments)))
    return mt4.Trade(
        ticket=draw(st.integers(1, 2**31)),
        side=draw(st.sampled_from(["buy", "sell"])),
        lots=draw(st.integers(1, 10**6)) * Decimal("0.01"),
        symbol=draw(words),
        opened=opened,
        closed=closed,
        open_price=draw(prices),
        close_price=draw(prices),
        commission=draw(cents),
        taxes=draw(cents),
        swap=draw(cents),
        profit=draw(cents),
        comment=draw(st.text("ab <>&\"'#[]1é中", max_size=12)),
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(trades(), max_size=12, unique_by=lambda trade: trade.ticket),
    st.sampled_from([style for _, style in LANGUAGES if style.places]),
)
def test_what_a_terminal_writes_comes_back(rows: list[mt4.Trade], style: mt4.Style) -> None:
    meta, chunk = parse_statement(mt4.statement(rows, style).encode(), "x.htm")
    assert not chunk.refused
    got = chunk.trades.select("ticket", "side", "lots_e8", "symbol", "open_ms", "close_ms",
                              "open_price_e8", "close_price_e8", "commission_e8", "fee_e8",
                              "swap_e8", "profit_e8").rows()  # fmt: skip
    assert got == [
        (row.ticket, 1 if row.side == "buy" else -1, to_e8(row.lots), row.symbol,
         int(row.opened.timestamp()) * 1000, int(row.closed.timestamp()) * 1000,
         to_e8(Decimal(row.open_price)), to_e8(Decimal(row.close_price)),
         to_e8(row.commission), to_e8(row.taxes), to_e8(row.swap), to_e8(row.profit))
        for row in rows
    ]  # fmt: skip
    assert (
        meta.closed_pl_printed_e8 == summed(chunk) == to_e8(sum((r.pl for r in rows), Decimal(0)))
    )


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_refused_and_never_crashes(data: st.DataObject) -> None:
    text = mt4.statement([mt4.Trade(n, comment="[sl]") for n in range(1, 6)])
    start = data.draw(st.integers(0, len(text)))
    length = data.draw(st.integers(0, 200))
    put = data.draw(st.text(max_size=20))
    try:
        _, chunk = parse_statement((text[:start] + put + text[start + length :]).encode(
            "utf-8", "replace"), "x.htm")  # fmt: skip
    except BadInput:
        return
    assert chunk.trades.null_count().sum_horizontal().item() == 0
    assert (chunk.trades["lots_e8"] > 0).all()
