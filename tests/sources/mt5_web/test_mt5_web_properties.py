"""Properties of the reading: columns equal the scalar reader, and a bad deal costs only itself."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_tls import deal

from pipshare.sources.mt5_web import answer, parse
from pipshare.sources.mt5_web.columns import typed
from pipshare.sources.mt5_web.scalar import AMOUNTS, NAMES, Fault, cells, row

EXACT = st.decimals(Decimal("-9e10"), Decimal("9e10"), places=8)
LONG = st.decimals(Decimal("-1e6"), Decimal("1e6"), places=14)
ODD = st.sampled_from(["", " ", "0", "-0", "1e3", "1e-9", "nan", "inf", "1,5", "--1", "x", "1.2.3",
                       "9" * 30, "0" * 40, "-", ".", "+7", "\u0661", "1_000", "true"])  # fmt: skip
NUMBER = st.one_of(EXACT.map(lambda d: format(d, "f")), LONG.map(lambda d: format(d, "f")), ODD)
WHOLE = st.one_of(st.integers(0, 2**63 - 1).map(str), st.integers(-5, 2**65).map(str), ODD)
COUNTS = ("Deal", "Login", "Order", "PositionID", "Volume", "VolumeExt", "VolumeClosed",
          "VolumeClosedExt", "TimeMsc", "Time", "ModificationFlags", "ModifyFlags")  # fmt: skip
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(AMOUNTS.values(), NUMBER),
        **dict.fromkeys(COUNTS, WHOLE),
        **dict.fromkeys(("Action", "Entry", "Reason"), st.integers(0, 40).map(str) | ODD),
        "Symbol": st.one_of(st.text(max_size=70), ODD),
        "Comment": st.text(max_size=40),
    },
)  # fmt: skip


def _read(deals: list[dict[str, Any]], ascii_: bool = True) -> Any:
    body = json.dumps({"retcode": "0 Done", "answer": deals}, separators=(",", ":"),
                      ensure_ascii=ascii_).encode("utf-8", "surrogatepass")  # fmt: skip
    return parse.deals(answer.read(body, "here"), 0, 0)


@settings(max_examples=50, deadline=None)
@given(st.lists(EXACT, min_size=1, max_size=20), st.booleans())
def test_amounts_are_exact_as_text_and_as_numbers(amounts: list[Decimal], bare: bool) -> None:
    body = json.dumps({"retcode": "0 Done", "answer": [
        deal(n, Profit=f"<{n}>") for n, _ in enumerate(amounts, 1)]})  # fmt: skip
    for n, amount in enumerate(amounts, 1):
        text = format(amount, "f")
        body = body.replace(f'"<{n}>"', text if bare else f'"{text}"')
    told = parse.deals(answer.read(body.encode(), "here"), 0, 0)
    assert told.deals["profit_e8"].to_list() == [int(amount.scaleb(8)) for amount in amounts]


@settings(max_examples=50, deadline=None)
@given(st.lists(LONG, min_size=1, max_size=20))
def test_amounts_are_rounded_half_even_past_eight_places(amounts: list[Decimal]) -> None:
    told = _read([deal(n, Profit=format(a, "f")) for n, a in enumerate(amounts, 1)])
    want = [int(a.quantize(Decimal("1e-8"), ROUND_HALF_EVEN).scaleb(8)) for a in amounts]
    assert told.deals["profit_e8"].to_list() == want


@settings(max_examples=80, deadline=None)
@given(st.lists(FIELDS, min_size=1, max_size=6), st.booleans())
def test_columns_agree_with_the_scalar_reader(fields: list[dict[str, str]], ascii_: bool) -> None:
    """Whatever the columns take, the scalar reader takes to the same values; the rest it judges."""
    deals = [deal(100 + n, **{k: _plain(v) for k, v in f.items()}) for n, f in enumerate(fields)]
    texts = [json.dumps(one, ensure_ascii=ascii_).encode() for one in deals]
    found = typed(texts)
    assert found is not None
    good, rest = found
    for told in good.iter_rows(named=True):
        want = row(cells(texts[told.pop("at")]))
        assert told == want
    assert sorted([*good["at"], *rest["at"]]) == list(range(len(texts)))


@settings(max_examples=40, deadline=None)
@given(st.lists(FIELDS, min_size=1, max_size=6))
def test_every_deal_is_taken_or_refused_and_neighbours_are_kept(
    fields: list[dict[str, str]],
) -> None:
    odd = [deal(100 + n, **{k: _plain(v) for k, v in f.items()}) for n, f in enumerate(fields)]
    mixed = [one for n, bad in enumerate(odd) for one in (deal(n + 1, Comment="good"), bad)]
    told = _read(mixed)
    assert told.count == len(mixed) == len(told.deals) + len(told.refused)
    kept = told.deals.filter(told.remarks["comment"] == "good")["deal"].to_list()
    assert kept[: len(odd)] == sorted(kept)[: len(odd)]
    assert set(range(1, len(odd) + 1)) <= set(told.deals["deal"].to_list())
    for fault in told.refused:
        assert fault.reason.startswith("deal ")
        assert any(name in fault.reason for name in (*NAMES, "Volume"))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_an_answer_or_garbled(body: bytes) -> None:
    from pipshare.sources.mt5_web.errors import Garbled

    for given_ in (body, b'{"retcode":"0 Done","answer":[{"Deal":' + body):
        try:
            parse.deals(answer.read(given_, "here"), 0, 0)
        except Garbled as error:
            assert error.retryable  # noqa: PT017


@settings(max_examples=50, deadline=None)
@given(FIELDS)
def test_a_fault_names_what_is_wrong(fields: dict[str, str]) -> None:
    cell = cells(json.dumps(deal(5, **fields)).encode())
    try:
        row(cell)
    except Fault as fault:
        assert fault.code.replace("_", "").isalpha()  # noqa: PT017
        assert len(fault.reason) < 200  # noqa: PT017


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
