"""Mapped requests: the broker's CRM is called in its own way; its answer is kept and understood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.outbox.conftest import replayed, settled
from tests.outbox.outbox_world import entity, said, say
from tests.outbox.sink import Sink, reply

from pipshare import outbox
from pipshare.errors import BadInput
from pipshare.outbox import Message, Receiver
from pipshare.pipeline.said import mapped

BODY = {
    "introducer": {"name": "{name}", "mail": "=data.email", "country": "=data.country"},
    "reference": "pipshare-{application}", "tier": 1, "tags": ["ib", "{source}"],
}  # fmt: skip
SETTINGS: dict[str, Any] = {
    "events": ["ib.*"], "url": "https://crm.example/api/ibs", "body": json.dumps(BODY),
    "answer_id": "data.id", "answer_error": "success == `false` && message",
    "by_type": {
        "ib.tier_changed": {"method": "PATCH", "url": "https://crm.example/api/ibs/{crm_id}/tier",
                            "body": '{"tier": "{tier}"}', "answer_id": ""},
    },
}  # fmt: skip
APPLIED = {"entity": "main", "application": "17", "source": "apply", "name": 'So"fia {x}',
           "email": "sofia@ib.example", "currency": "USD"}  # fmt: skip


def _receiver(**settings: Any) -> Receiver:
    return Receiver(1, 1, None, "", "request", "CRM", {**SETTINGS, **settings})


def _message(kind: str = "ib.applied", **data: Any) -> Message:
    return Message(7, 1, kind, "application:17", 1_795_000_000_000, {**APPLIED, **data})


def test_the_body_is_filled_in_by_macros_and_expressions() -> None:
    made = mapped.build(_receiver(), _message(), 3)
    assert (made.method, made.url) == ("POST", "https://crm.example/api/ibs")
    assert json.loads(made.body) == {
        "introducer": {"name": 'So"fia {x}', "mail": "sofia@ib.example", "country": None},
        "reference": "pipshare-17", "tier": 1, "tags": ["ib", "apply"],
    }  # fmt: skip
    assert ("content-type", "application/json") in made.headers


def test_a_type_is_told_in_a_way_of_its_own_under_the_receivers_id() -> None:
    told = _message("ib.tier_changed", tier="gold", crm_id="a/b c")
    made = mapped.build(_receiver(), told, 1)
    assert (made.method, made.url) == ("PATCH", "https://crm.example/api/ibs/a%2Fb%20c/tier")
    assert json.loads(made.body) == {"tier": "gold"}


def test_without_the_receivers_id_nothing_is_sent() -> None:
    with pytest.raises(BadInput, match="no id of it"):
        mapped.build(_receiver(), _message("ib.tier_changed", tier="gold"), 1)
    known = _message("ib.tier_changed", tier="gold", source="crm-a", external="55")
    with pytest.raises(BadInput, match="no id of it"):
        mapped.build(_receiver(), known, 1)  # the id of another system
    assert "/55/" in mapped.build(_receiver(source="crm-a"), known, 1).url


@pytest.mark.parametrize(
    ("status", "body", "crm_id", "rejected", "wrong"),
    [
        (200, '{"success": true, "data": {"id": 5531}}', "5531", "", ""),
        (200, '{"success": false, "message": "e-mail is taken"}', "", "e-mail is taken", ""),
        (200, '{"success": true}', "", "", "answered 200 without an id at data.id"),
        (201, "<html>", "", "", "answered 201 with what is no JSON"),
        (422, '{"detail": "country XX is not served"}', "", "country XX is not served", ""),
        (409, '{"error": {"message": "exists"}}', "", "exists", ""),
        (400, "no such field", "", "no such field", ""),
        (400, "", "", "answered 400", ""),
        (500, '{"message": "sorry"}', "", "", ""),
        (401, '{"message": "who?"}', "", "", ""),
    ],
)
def test_an_answer_is_an_id_a_refusal_or_wrong(
    status: int, body: str, crm_id: str, rejected: str, wrong: str
) -> None:
    heard = mapped.read(_receiver(), _message(), status, body.encode())
    assert (heard.crm_id, heard.rejected) == (crm_id, rejected)
    assert heard.wrong.startswith(wrong)
    assert bool(heard.wrong) == bool(wrong)


def test_an_error_that_comes_as_a_text_with_200() -> None:
    one = _receiver(answer_error="type(@) == 'string' && @", answer_id="id")
    assert mapped.read(one, _message(), 200, b'"Might be wrong"').rejected == "Might be wrong"
    assert mapped.read(one, _message(), 200, b'{"id": "9"}').crm_id == "9"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"body": "{"}, "the body is not valid JSON"),
        ({"body": '{"a": "{nam}"}'}, r"did you mean \{name\}"),
        ({"body": '{"a": "=sum(x)"}'}, "the function sum is not available"),
        ({"body": '{"a": 1.5}'}, "numbers with a fraction"),
        ({"method": "GET"}, "a GET has none"),
        ({"method": "DELETE"}, "method is 'DELETE'"),
        ({"url": "ftp://x/"}, "no scheme"),
        ({"url": "https://{name}.example/"}, "not in the host"),
        ({"answer_id": "data."}, "answer_id: 'data.' is no JMESPath"),
        ({"by_type": {"ib.aplied": {}}}, "there is no type 'ib.aplied'"),
        ({"by_type": {"ib.applied": {"uri": "x"}}}, "has 'uri'"),
        ({"by_type": {"ib.applied": {"body": "["}}}, "the body of ib.applied is not valid JSON"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_set(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        mapped.check({**SETTINGS, **settings})


class Crm:
    """A CRM that answers what it is told to."""

    def __init__(self) -> None:
        self.answers: list[bytes] = []

    def __call__(self, got: Any) -> bytes:
        if self.answers:
            return self.answers.pop(0)
        return reply(200, json.dumps({"success": True, "data": {"id": "ib-1"}}).encode())


def _set_up(db: Any, sink: Sink) -> Receiver:
    told = {**SETTINGS, "url": sink.url("/ibs"), "timeout_s": 2}
    told["by_type"] = {"ib.tier_changed": {**SETTINGS["by_type"]["ib.tier_changed"],
                                           "url": sink.url("/ibs/{crm_id}/tier")}}  # fmt: skip
    with db.app() as conn:
        return outbox.add(conn, entity(conn), "request", "CRM", told, by="test")


def test_the_answers_id_is_kept_and_used_by_what_follows(
    db: Any, dispatching: Any, sinks: Any
) -> None:
    sink = sinks(Crm())
    one = _set_up(db, sink)
    dispatching()
    with db.app() as conn:
        say(conn, said(1, "application:17", type="ib.applied", **APPLIED),
            said(2, "application:17", type="ib.tier_changed", **APPLIED, tier="gold"))  # fmt: skip
        conn.commit()
        assert settled(conn) == {"delivered": 2}
        [known] = outbox.externals(conn, ["application:17"])
    assert (known.receiver_id, known.receiver, known.crm_id) == (one.id, "CRM", "ib-1")
    assert [(got.method, got.path) for got in sink.got] == [
        ("POST", "/ibs"), ("PATCH", "/ibs/ib-1/tier")]  # fmt: skip


def test_a_refusal_is_recorded_stops_nothing_and_can_be_sent_again(
    db: Any, dispatching: Any, sinks: Any
) -> None:
    crm = Crm()
    crm.answers = [reply(200, b'{"success": false, "message": "e-mail is taken"}'),
                   reply(422, b'{"detail": "country is not served"}')]  # fmt: skip
    one = _set_up(db, sinks(crm))
    dispatching()
    with db.app() as conn:
        say(conn, said(1, "application:17", type="ib.applied", **APPLIED),
            said(2, "application:18", type="ib.applied", **APPLIED))  # fmt: skip
        conn.commit()
        assert settled(conn) == {"dead": 2}
        reasons = {each.reason for each in outbox.dead(conn, one.id)}
        assert reasons == {"rejected: e-mail is taken", "rejected: country is not served"}
        assert outbox.fares(conn)[one.id].failing_since_ms is None  # it answers: nothing is broken
        outbox.replay(conn, one, by="anna")
        conn.commit()
        replayed(conn, 2)
        assert {each.crm_id for each in outbox.externals(conn, ["application:17"])} == {"ib-1"}


def test_what_takes_too_long_is_tried_again(db: Any, dispatching: Any, sinks: Any) -> None:
    crm = Crm()
    crm.answers = [reply(503)]
    one = _set_up(db, sinks(crm))
    dispatching()
    with db.app() as conn:
        say(conn, said(1, "application:17", type="ib.applied", **APPLIED))
        conn.commit()
        assert settled(conn) == {"delivered": 1}
        [delivery] = outbox.deliveries(conn, receiver_id=one.id)
        tries = outbox.attempts(conn, [delivery.id])
    assert [each.outcome for each in tries] == ["temporary", "ok"]


def test_a_receiver_of_requests_says_what_it_is_for(db: Any) -> None:
    with db.app() as conn, pytest.raises(BadInput, match="events is empty"):
        outbox.add(conn, entity(conn), "request", "CRM", {"url": "https://x.example/"}, by="t")


def test_news_are_not_told_to_whom_they_came_from_and_persons_to_no_tracker() -> None:
    echo = _message(told_by="crm-a")
    matcher = outbox.Matcher([_receiver(source="crm-a")])
    assert matcher.match(echo) == []
    assert len(matcher.match(_message())) == 1
    tracker = Receiver(2, 1, None, "", "postback", "T", {"url": "https://t.example/"})
    assert outbox.Matcher([tracker]).match(_message()) == []


def test_what_was_said_of_a_person_can_be_taken_back(db: Any, dispatching: Any, sinks: Any) -> None:
    one = _set_up(db, sinks(Crm()))
    dispatching()
    with db.app() as conn:
        say(conn, said(1, "application:17", type="ib.applied", **APPLIED),
            said(2, "application:18", type="ib.applied", **APPLIED))  # fmt: skip
        conn.commit()
        settled(conn)
        outbox.erase_said(conn, "application:17", ["ib.applied"], ["name", "email"])
        other, gone = outbox.deliveries(conn, receiver_id=one.id)
        assert "name" not in gone.data
        assert "email" not in gone.data
        assert gone.data["application"] == "17"
        assert other.data["name"] == APPLIED["name"]
        [tried] = outbox.attempts(conn, [gone.id])
        assert (tried.body, tried.answer) == ("", "")
        [tried] = outbox.attempts(conn, [other.id])
        assert "sofia@ib.example" in tried.body
