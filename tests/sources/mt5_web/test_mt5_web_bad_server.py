"""Bad servers, one script each: what is wrong is named, and nothing of it is used."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from mt5_web_talk import Talk, Talking
from scripted_tls import Asked, Broker, certificate, deal, done, fingerprint, http

from pipshare.errors import Unavailable
from pipshare.sources.mt5_web.errors import Garbled, NotAllowed, Refused, Stuck, WrongCertificate
from pipshare.sources.mt5_web.lost import Forbidden, Lost

BATCH = "/api/deal/get_batch"
PAGE = "/api/deal/get_page"
FROM, TO = 1572522000, 1572522500


def _read(one: Talk) -> list[int]:
    answers = one.web.deals("real*", FROM, TO)
    return [ticket for answer in answers for ticket in answer.deals["deal"].to_list()]


def test_an_expired_certificate(talk: Talking, tmp_path: Path) -> None:
    old = certificate(tmp_path, "old", ends=timedelta(days=-1))
    one = talk(Broker(), cert=old, ca_file=old)
    with pytest.raises(WrongCertificate, match=f"has expired.*sha256 {fingerprint(old)}"):
        one.web.open()
    assert len(one.log) == 1


def test_a_certificate_of_somebody_else(talk: Talking, tmp_path: Path) -> None:
    other = certificate(tmp_path, "other")
    broker = Broker()
    one = talk(broker, cert=other)
    with pytest.raises(WrongCertificate, match="signed by nobody this machine trusts"):
        one.web.open()
    assert not broker.asked


def test_a_certificate_for_another_name(talk: Talking, tmp_path: Path) -> None:
    other = certificate(tmp_path, "elsewhere", host="mt5.example.com")
    with pytest.raises(WrongCertificate, match="for another name"):
        talk(Broker(), cert=other, ca_file=other).web.open()


def test_a_pinned_certificate_counts_whatever_its_name_and_dates(
    talk: Talking, tmp_path: Path, pem: Path
) -> None:
    old = certificate(tmp_path, "pinned", host="x.example", ends=timedelta(days=-1))
    talk(Broker(), cert=old, fingerprint=fingerprint(old)).web.open()
    broker = Broker()
    with pytest.raises(WrongCertificate, match=r"another certificate.*than the pinned one"):
        talk(broker, cert=pem, fingerprint=fingerprint(old)).web.open()
    assert not broker.asked


def test_a_web_page_instead_of_json(talk: Talking) -> None:
    page = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"
    one = talk(Broker(says={BATCH: http(page, "200 OK", "Content-Type: text/html")}))
    with pytest.raises(Garbled, match=r"a web page instead of JSON.*proxy or the server's maint"):
        _read(one)


def test_an_answer_that_is_empty(talk: Talking) -> None:
    one = talk(Broker(says={BATCH: http("")}))
    with pytest.raises(Garbled, match="empty answer"):
        _read(one)


WHOLE = json.dumps({"retcode": "0 Done", "answer": [deal(n) for n in range(1, 9)]})


@pytest.mark.parametrize("kept", [len(WHOLE) - 1, len(WHOLE) - 2, len(WHOLE) - 3, 2000, 40, 20])
def test_json_that_is_cut_is_not_used_at_all(talk: Talking, kept: int) -> None:
    one = talk(Broker(says={BATCH: http(WHOLE[:kept])}))
    with pytest.raises(Garbled):
        _read(one)
    one.server._script.says[BATCH] = http(WHOLE)  # type: ignore[attr-defined]
    one.now += 200
    assert _read(one) == list(range(1, 9))


def test_half_an_answer_is_not_used_at_all(talk: Talking) -> None:
    cut = http(WHOLE)[: len(WHOLE) // 2] + b""
    cut = cut.replace(b"\r\n\r\n", b"\r\nX-Then: close\r\n\r\n", 1)
    broker = Broker(says={BATCH: cut})
    one = talk(broker)
    with pytest.raises(Lost, match="broke off in the middle of an answer"):
        _read(one)
    one.now += 200
    with pytest.raises(Lost, match="broke off"):
        _read(one)


def test_a_chunked_answer_that_ends_early(talk: Talking) -> None:
    chunked = (b"HTTP/1.1 200 OK\r\nX-Then: close\r\nTransfer-Encoding: chunked\r\n\r\n"
               b"%x\r\n%s\r\n" % (len(WHOLE), WHOLE.encode()))  # fmt: skip
    one = talk(Broker(says={BATCH: chunked}))
    with pytest.raises(Lost, match="broke off"):
        _read(one)
    ending = chunked.replace(b"X-Then: close\r\n", b"") + b"0\r\n\r\n"
    assert _read(talk(Broker(says={BATCH: ending}))) == list(range(1, 9))


def test_numbers_as_numbers_are_exact(talk: Talking) -> None:
    told = deal(2**53 + 1, Order=2**53 + 3, Profit="@", Price="@2")
    text = json.dumps({"retcode": 0, "answer": [told]})
    text = text.replace('"@2"', "1234567.12345678").replace('"@"', "-90071992547.40993")
    for name in ("Deal", "Login", "Action", "Entry", "TimeMsc", "VolumeExt"):
        text = text.replace(f'"{name}": "{told[name]}"', f'"{name}": {told[name]}')
    one = talk(Broker(says={BATCH: http(text)}))
    (answer,) = one.web.deals("*", FROM, TO)
    row = answer.deals.row(0, named=True)
    assert row["deal"] == 2**53 + 1
    assert row["order"] == 2**53 + 3
    assert row["profit_e8"] == -9007199254740993000
    assert row["price_e8"] == 123456712345678


def test_an_empty_page_for_ever(talk: Talking) -> None:
    broker = Broker(says={"/api/deal/get_total": done({"total": "250"}), PAGE: done([])})
    one = talk(broker)
    with pytest.raises(Stuck, match="has 250 deals of login 7 and gave an empty page"):
        list(one.web.deal_pages(7, FROM, TO))
    assert broker.count(PAGE) == 1


def test_the_same_page_for_ever(talk: Talking) -> None:
    page = done([deal(n) for n in range(1, 101)])
    broker = Broker(says={"/api/deal/get_total": done({"total": "250"}), PAGE: page})
    pages = talk(broker).web.deal_pages(7, FROM, TO)
    assert next(pages).count == 100
    with pytest.raises(Stuck, match="the same page again from number 100"):
        next(pages)


def test_pages_up_to_the_end(talk: Talking) -> None:
    def page(asked: Asked) -> bytes:
        offset, total = int(asked.params["offset"]), int(asked.params["total"])
        assert total == 100
        return done([deal(n) for n in range(offset + 1, min(offset + total, 250) + 1)])

    broker = Broker(says={"/api/deal/get_total": done({"total": "250"}), PAGE: page})
    pages = list(talk(broker).web.deal_pages(7, FROM, TO))
    assert [one.count for one in pages] == [100, 100, 50]


def test_deals_of_another_time_for_ever(talk: Talking) -> None:
    one = talk(Broker(says={BATCH: done([deal(5)])}))
    with pytest.raises(Stuck, match="the same page whatever it is asked"):
        list(one.web.deals("*", FROM + 86_400, TO + 86_400))


def test_the_same_group_for_ever(talk: Talking) -> None:
    broker = Broker(says={"/api/group/total": done({"total": "3"}),
                          "/api/group/next": done({"Group": "real"})})  # fmt: skip
    with pytest.raises(Stuck, match="as number 1 it gave real again"):
        talk(broker).web.groups()


def test_a_403_signs_in_anew_and_twice_is_an_outage(talk: Talking) -> None:
    forbidden = http("<html>", "403 Forbidden")
    broker = Broker(says={BATCH: done([deal(5)])})
    one = talk(broker)
    assert _read(one) == [5]

    def once(asked: Asked) -> bytes:
        return forbidden if asked.connection == 1 else done([deal(6)])

    broker.says[BATCH] = once
    assert _read(one) == [6]
    assert (one.server.connections, one.log) == (2, [])
    broker.says[BATCH] = forbidden
    with pytest.raises(Forbidden, match="answers 403"):
        _read(one)
    assert len(one.log) == 1


def test_a_session_that_the_server_forgot_signs_in_anew(talk: Talking) -> None:
    broker = Broker(says={BATCH: done([deal(5)])})
    one = talk(broker)
    one.web.open()

    def once(asked: Asked) -> bytes:
        return done(retcode="1000 Not authorized") if asked.connection == 1 else done([deal(5)])

    broker.says[BATCH] = once
    assert _read(one) == [5]


def test_a_dropped_connection_signs_in_anew(talk: Talking) -> None:
    broker = Broker(says={BATCH: done([deal(5)])})
    one = talk(broker)
    for times in range(1, 4):
        assert _read(one) == [5]
        assert one.server.connections == times
        one.server.drop()
    assert one.log == []


def test_a_server_that_drops_every_request(talk: Talking) -> None:
    one = talk(Broker(says={BATCH: None}))
    with pytest.raises(Lost, match="closed the connection without an answer"):
        _read(one)


def test_a_cookie_is_carried(talk: Talking) -> None:
    start = Broker()._usual
    broker = Broker(says={BATCH: done([deal(5)])})
    broker.says["/api/auth/start"] = lambda asked: (start(asked) or b"").replace(
        b"\r\n\r\n", b"\r\nSet-Cookie: sid=a1b2; Path=/; HttpOnly\r\n\r\n", 1
    )
    one = talk(broker)
    _read(one)
    assert [asked.headers.get("Cookie") for asked in broker.asked] == [None, "sid=a1b2", "sid=a1b2"]
    one.server.drop()
    _read(one)
    assert broker.asked[3].headers.get("Cookie") is None


def test_a_right_that_is_missing_is_no_outage(talk: Talking) -> None:
    one = talk(Broker(says={BATCH: done(retcode="8 Not enough permissions")}))
    with pytest.raises(NotAllowed, match=r"lacks the right.*Permissions of the manager"):
        _read(one)
    assert (one.log, one.web.wait_s()) == ([], 0)
    one = talk(Broker())
    with pytest.raises(Refused, match="3 Invalid parameters") as found:
        _read(one)
    assert found.value.retcode == 3


def test_an_unknown_command_and_a_failing_server(talk: Talking) -> None:
    one = talk(Broker(says={BATCH: http("no", "404 Not Found")}))
    with pytest.raises(Refused, match="not known there"):
        _read(one)
    one = talk(Broker(says={BATCH: http("no", "502 Bad Gateway")}))
    with pytest.raises(Unavailable, match="HTTP 502"):
        _read(one)
    one = talk(Broker(says={BATCH: http("", "302 Found", "Location: https://x/")}))
    with pytest.raises(Garbled, match="sends us elsewhere"):
        _read(one)


def test_asked_too_often_waits_and_asks_again(talk: Talking) -> None:
    answers = [done(retcode="12 Too frequent"), done(retcode="12 Too frequent"), done([deal(5)])]
    one = talk(Broker(says={BATCH: lambda asked: answers.pop(0)}))
    assert _read(one) == [5]
    assert one.slept == [1.0, 2.0]


def test_nobody_listens_and_no_such_host(talk: Talking) -> None:
    one = talk(Broker())
    one.server.__exit__()
    with pytest.raises(Lost, match=r"nobody listens there; is the access server running"):
        one.web.open()


def test_no_tls_at_this_port(talk: Talking, pem: Path) -> None:
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            taken, _ = plain.accept()
            taken.recv(100)
            taken.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            taken.close()

        threading.Thread(target=answer, daemon=True).start()
        one = talk(Broker())
        object.__setattr__(one.web.config, "url", f"https://127.0.0.1:{plain.getsockname()[1]}")
        with pytest.raises(Lost, match=r"no TLS|without an answer"):
            one.web.open()


def test_what_is_no_http(talk: Talking) -> None:
    for raw in (b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\nX-Then: close\r\n\r\n"):
        with pytest.raises(Unavailable):
            _read(talk(Broker(says={BATCH: raw})))
