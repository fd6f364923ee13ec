"""Money that trackers tell of: only where they were made authoritative, once, and taken back."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from s2s_broker import DAY, NOW, Site

from pipshare import inbox
from pipshare.errors import BadInput
from pipshare.pipeline import postbacks as taking

E8 = 10**8


@pytest.fixture
def site(ready: Any) -> Site:
    return ready(Site)


def _deposit(site: Site, txid: str = "1", **told: Any) -> tuple[str, str]:
    return site.post("deposit", **{"txid": txid, "client": "C-1", "amount": "250.00",
                                   "currency": "USD", **told})  # fmt: skip


def test_a_deposit_before_the_registration_waits_and_is_taken_up(site: Site) -> None:
    click = site.click("P-2")
    assert _deposit(site, client="C-1") == ("accepted", "")
    site.settle()
    assert site.events() == []
    assert site.outcome(txid="1") == ("waits", "unknown_client")
    site.post("registration", client="C-1", click_id=click, at=NOW - DAY)
    site.settle()
    assert site.whose() == {"C-1": "P-2"}
    assert [one[1:6] for one in site.events()] == [
        ("deposit:1", "deposit", "C-1", 250 * E8, "USD"),
        ("registration:C-1", "registration", "C-1", 0, ""),
    ]
    assert site.outcome(txid="1")[0] == "event"


def test_a_deposit_that_names_only_the_click(site: Site) -> None:
    click = site.click("P-2")
    assert _deposit(site, client="", click_id=click)[0] == "accepted"
    site.settle()
    assert site.outcome(txid="1") == ("waits", "client_of_click")
    site.post("registration", client="C-1", click_id=click)
    site.settle()
    assert site.events()[0][1:4] == ("deposit:1", "deposit", "C-1")
    site.post("registration", client="C-2", click_id=click)
    assert _deposit(site, "2", client="", click_id=click)[0] == "accepted"
    site.settle()
    assert site.outcome(txid="2") == ("refused", "ambiguous_click")
    assert [one.code for one in inbox.alerts(site.conn)] == ["postback_unused"]


def test_a_reversal_comes_first_and_waits(site: Site) -> None:
    site.load("clients", "client\nC-1\n")
    assert site.post("reversal", txid="r", reference="1") == ("accepted", "waits")
    site.settle()
    assert site.outcome(txid="r") == ("waits", "unknown_reference")
    _deposit(site)
    site.settle()
    assert [one[1:] for one in site.events()] == [
        ("deposit:1", "deposit", "C-1", 250 * E8, "USD", ""),
        ("reversal:r", "deposit_reversed", "C-1", 0, "", "deposit:1"),
    ]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"amount": "10", "currency": "EUR"}, "other_currency"),
        ({"amount": "250.01", "currency": "USD"}, "more_than_original"),
        ({"client": "C-2"}, "other_client"),
    ],
)
def test_a_reversal_that_is_not_of_its_deposit(
    site: Site, told: dict[str, str], reason: str
) -> None:
    """Told at once where the deposit is known, else found when it comes."""
    site.load("clients", "client\nC-1\nC-2\n")
    assert site.post("reversal", txid="early", reference="1", **told)[0] == "accepted"
    _deposit(site)
    assert site.post("reversal", txid="late", reference="1", **told) == ("rejected", reason)
    site.settle()
    assert [one[1] for one in site.events()] == ["deposit:1"]
    assert site.outcome(txid="early") == ("refused", reason)
    assert [one.code for one in inbox.alerts(site.conn)] == ["postback_unused"]


def test_a_withdrawal_and_a_deposit_may_have_one_number(site: Site) -> None:
    site.load("clients", "client\nC-1\n")
    _deposit(site)
    assert site.post("withdrawal", txid="1", client="C-1", amount="5", currency="USD")[0] == (
        "accepted"
    )
    site.post("reversal", txid="1", reference="1", of="withdrawal")
    site.settle()
    assert [one[1:3] for one in site.events()] == [
        ("deposit:1", "deposit"), ("reversal:1", "withdrawal_reversed"),
        ("withdrawal:1", "withdrawal"),
    ]  # fmt: skip


def test_who_is_not_authoritative_attributes_and_moves_no_money(site: Site) -> None:
    site.tracker("ads")
    click = site.click("P-2")
    site.post("registration", by="ads", client="C-1", click_id=click)
    assert _deposit(site, by="ads") == ("accepted", "attribution_only")
    site.settle()
    assert site.whose() == {"C-1": "P-2"}
    assert [one[:3] for one in site.events()] == [("s2s:ads", "registration:C-1", "registration")]


def test_the_same_number_with_other_content_is_refused_by_name(site: Site) -> None:
    site.load("clients", "client\nC-1\n")
    assert _deposit(site)[0] == "accepted"
    assert _deposit(site, at=NOW - DAY, method="card") == ("duplicate", "repeated")
    answer = site.answer("deposit", txid="1", client="C-1", amount="300", currency="USD")
    assert (answer.verdict, answer.reason) == ("rejected", "other_content")
    assert "reversal" in answer.detail
    site.settle()
    assert [one[4] for one in site.events()] == [250 * E8]


def test_a_currency_of_which_nobody_heard(site: Site) -> None:
    site.load("clients", "client\nC-1\n")
    assert _deposit(site, currency="DOLLARS") == ("rejected", "unknown_currency")
    site.load("fx", "base,quote,time,rate\nDOLLARS,USD,2026-01-01T00:00:00Z,1.5\n")
    assert _deposit(site, currency="DOLLARS") == ("accepted", "")


def test_every_one_is_in_the_log_and_found(site: Site) -> None:
    _deposit(site, email="anna@example.com", amount="1,000.50")
    _deposit(site)
    _deposit(site)
    assert site.answer("deposit", by="wrong").status == 401
    found = inbox.postbacks(site.conn)
    assert [(one.verdict, one.reason, one.tracker) for one in found] == [
        ("rejected", "bad_token", None), ("duplicate", "repeated", "site"),
        ("accepted", "", "site"), ("rejected", "bad_amount", "site"),
    ]  # fmt: skip
    assert found[3].told["amount"] == "1,000.50"
    assert found[3].told["ignored"] == "email"
    assert "anna" not in str(found)
    assert site.tokens["site"] not in str(found)
    assert inbox.postbacks(site.conn, reason="repeated") == [found[1]]
    assert inbox.postbacks(site.conn, before=found[1].id, limit=1) == [found[2]]
    with pytest.raises(BadInput, match="colour"):
        inbox.postbacks(site.conn, colour="blue")


def test_strangers_do_not_fill_the_log(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "_strangers", taking.Strangers(most=2))
    answers = site.take(*(site.sent("deposit", by="guess", txid=str(n)) for n in range(5)))
    assert [one.status for one in answers] == [401] * 5
    assert len(inbox.postbacks(site.conn)) == 2


def test_who_may_send_from_where_and_signed(site: Site) -> None:
    site.load("clients", "client\nC-1\n")
    site.tracker("home", networks=("203.0.113.0/24", "2001:db8::/32"))
    for sender, status in (("203.0.113.9", 200), ("::ffff:203.0.113.9", 200), ("2001:db8::1", 200),
                           ("198.51.100.1", 403), ("", 403)):  # fmt: skip
        sent = site.sent("first-trade", by="home", client="C-1", sender=sender)
        assert site.take(sent)[0].status == status
    site.tracker("signed", is_signed=True)
    assert site.answer("first-trade", by="signed", client="C-1").reason == "bad_signature"
    inbox.revoke_tracker(site.conn, "home", by="anna")
    assert site.answer("first-trade", by="home", client="C-1").status == 401


@pytest.mark.parametrize("seed", range(6))
def test_any_order_and_any_repeats_come_to_the_same(site: Site, seed: int) -> None:
    """A story's postbacks shuffled, repeated, in batches of any size, settled at any time."""
    wanted = _told_in_order(site)
    chance = Random(seed)
    suffix = f"-s{seed}"
    story = _story(site, suffix)
    calls = story + chance.choices(story, k=len(story))
    chance.shuffle(calls)
    while calls:
        size = chance.randint(1, 4)
        site.take(*calls[:size])
        del calls[:size]
        if chance.random() < 0.4:
            site.settle()
    site.settle()
    relations = {c.removesuffix(suffix): p for c, p in site.relations().items()
                 if c.endswith(suffix)}  # fmt: skip
    events = [(e[1].replace(suffix, ""), *e[2:3], e[3].removesuffix(suffix), *e[4:6],
               e[6].replace(suffix, "")) for e in site.events() if suffix in e[1]]  # fmt: skip
    assert (relations, events) == wanted
    query = "SELECT count(*) FROM inbox_postback_due"
    assert site.conn.execute(query).fetchone() == (0,)


def _told_in_order(site: Site) -> tuple[Any, Any]:
    for one in _story(site, "-x"):
        site.take(one)
        site.settle()
    relations = {c.removesuffix("-x"): p for c, p in site.relations().items()}
    events = [(e[1].replace("-x", ""), *e[2:3], e[3].removesuffix("-x"), *e[4:6],
               e[6].replace("-x", "")) for e in site.events()]  # fmt: skip
    assert {c: p for c, (p, _) in relations.items()} == {"C-1": "P-2", "C-2": "P-3", "C-3": "P-1"}
    assert len(events) == 8
    return relations, events


def _story(site: Site, suffix: str) -> list[Any]:
    """Three clients: one by a click, one by a code, one by the second of his visitor's clicks."""
    first = site.click("P-2", NOW - 20 * DAY)
    told = site.click("P-3", NOW - 12 * DAY, visitor=f"v{suffix}")
    site.click("P-1", NOW - 11 * DAY, visitor=f"v{suffix}")
    at = NOW - 5 * DAY
    ones, twos, threes = (f"C-{n}{suffix}" for n in (1, 2, 3))

    def money(event: str, number: str, day: int, **more: Any) -> Any:
        told = {"txid": number + suffix, "at": at + day * DAY, "amount": "100", "currency": "USD"}
        return site.sent(event, **{**told, **more})

    return [
        site.sent("registration", client=ones, click_id=first, at=at),
        site.sent("registration", client=twos, click_id=first, partner="P-3", at=at),
        site.sent("registration", client=threes, click_id=told, at=at),
        money("deposit", "1", 1, client=ones),
        money("deposit", "2", 1, client=twos, click_id=told),
        money("deposit", "3", 2, client="", click_id=told),
        site.sent("trade", txid="t" + suffix, client=ones, click_id=told, at=at + 2 * DAY),
        money("withdrawal", "1", 3, client=ones, amount="30"),
        money("reversal", "r", 4, reference="1" + suffix, amount="40"),
    ]  # fmt: skip
