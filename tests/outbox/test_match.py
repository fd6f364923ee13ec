"""Whom a message is for: entity, type, partner, country, amount; and who is told of nothing."""

from __future__ import annotations

from typing import Any

import pytest
from tests.outbox.outbox_world import message, receiver

from pipshare.outbox.match import COLLECTS_MS, Matcher, sends, wants_type


def hears(given: Any, told: Any, **options: Any) -> bool:
    return bool(Matcher([given]).match(told, **options))


@pytest.mark.parametrize(
    ("events", "kind", "wants"),
    [
        ([], "trade.closed", True),
        (["trade.closed"], "trade.closed", True),
        (["trade.closed"], "trade.opened", False),
        (["commission.*"], "commission.posted", True),
        (["commission.*"], "commissions.posted", False),
        (["trade.closed", "test"], "test", True),
    ],
)
def test_types(events: list[str], kind: str, wants: bool) -> None:
    assert wants_type(events, kind) is wants
    assert hears(receiver(events=events), message(kind)) is wants


def test_another_entity_hears_nothing() -> None:
    assert not hears(receiver(entity_id=2), message())


def test_a_partner_hears_what_names_him() -> None:
    ana = receiver(partner="ANA")
    assert hears(ana, message(partner="ANA"))
    assert hears(ana, message(partner="BEN", earned={"ANA": {"amount": "1", "currency": "USD"}}))
    assert not hears(ana, message(partner="BEN"))
    assert not hears(ana, message())
    both = Matcher([ana, receiver(2)]).match(message(partner="ANA", earned={"ANA": {}}))
    assert sorted(one.id for one in both) == [1, 2], "once each"


@pytest.mark.parametrize(
    ("settings", "data", "wants"),
    [
        ({"countries": ["DE"]}, {"country": "DE"}, True),
        ({"countries": ["DE"]}, {"country": "FR"}, False),
        ({"countries": ["DE"]}, {}, True),
        ({"not_countries": ["FR"]}, {"country": "FR"}, False),
        ({"minimum": {"USD": "100"}}, {"amount": "100.00", "currency": "USD"}, True),
        ({"minimum": {"USD": "100"}}, {"amount": "99.99", "currency": "USD"}, False),
        ({"minimum": {"USD": "100"}}, {"amount": "1", "currency": "EUR"}, True),
        ({"minimum": {"USD": "100"}}, {}, True),
    ],
)
def test_filters(settings: dict[str, Any], data: dict[str, str], wants: bool) -> None:
    assert hears(receiver(**settings), message(**data)) is wants


def test_a_known_tracker_hears_of_its_own_clicks_only() -> None:
    url = "https://t.example/postback?cid={sub1}"
    voluum, own = receiver(preset="voluum", url=url), receiver(url=url)
    assert hears(voluum, message(sub1="w1"))
    assert not hears(voluum, message())
    assert hears(voluum, message("test"))
    assert hears(own, message()), "a template of one's own may want whatever it wants"


def test_the_minimum_of_a_partner_is_of_what_he_earned() -> None:
    earned = {"ANA": {"amount": "5", "currency": "USD"}}
    told = message(partner="ANA", amount="500", currency="USD", earned=earned)
    assert not hears(receiver(partner="ANA", minimum={"USD": "100"}), told)
    assert hears(receiver(minimum={"USD": "100"}), told)


def test_news_of_a_receiver_goes_to_the_broker_s_webhooks_only() -> None:
    news = message("receiver.switched_off")
    assert hears(receiver(), news)
    assert not hears(receiver(kind="postback"), news)
    assert not hears(receiver(partner="ANA"), message("receiver.switched_off", partner="ANA"))
    assert not hears(receiver(state="off", off_at_ms=5), news)


def test_who_is_off_collects_for_a_month_and_who_is_removed_never() -> None:
    gone = receiver(state="off", off_at_ms=1000)
    assert hears(gone, message(), now_ms=1000 + COLLECTS_MS)
    assert not hears(gone, message(), now_ms=1001 + COLLECTS_MS)
    assert not hears(receiver(state="removed"), message())
    assert [sends(receiver(state=s)) for s in ("active", "paused", "off", "removed")] == [
        True, False, False, False
    ]  # fmt: skip


def test_a_test_is_for_one_receiver_whatever_he_wants() -> None:
    picky = receiver(5, events=["trade.closed"], countries=["DE"])
    assert [r.id for r in Matcher([picky, receiver(6)]).match(message("test"), 5)] == [5]
