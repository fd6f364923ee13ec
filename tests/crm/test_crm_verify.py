"""Who sent a request: by the public library both ways, and by signatures worked out here."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets as random_secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from pipshare.crm import Accepted, Refused, Request, read_verification
from pipshare.crm.verify import check_secret
from pipshare.errors import BadInput
from pipshare.outbox.sealed import Secret
from pipshare.outbox.sign import Signer, message_id

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
BODY = '{"type":"deposit.approved","amount":"500.00","name":"Jürgen"}'.encode()
STANDARD = read_verification([{"method": "standard-webhooks"}])


def _request(headers: dict[str, str], body: bytes = BODY, **more: str) -> Request:
    told = {"method": "POST", "url": "https://ib.example.com/in/crm?x=1", **more}
    return Request(headers=headers, body=body, **told)


def _signed(secret: str, at: datetime = NOW, id_: str = "msg_1", body: bytes = BODY) -> Request:
    signature = Webhook(secret).sign(id_, at, body.decode())
    return _request({"Webhook-Id": id_, "Webhook-Timestamp": str(int(at.timestamp())),
                     "Webhook-Signature": signature}, body)  # fmt: skip


def _code(verdict: Any) -> str:
    assert isinstance(verdict, Refused), verdict
    assert SECRET not in verdict.sentence
    return verdict.code


def test_what_the_library_signs_is_accepted_with_its_id() -> None:
    assert STANDARD.verify(_signed(SECRET), [SECRET], NOW) == Accepted("msg_1")


def test_what_our_outbox_signs_is_accepted_and_the_library_agrees() -> None:
    now = datetime.now(UTC)
    signer = Signer([Secret("", SECRET, 2**60), Secret("", OTHER, 2**60)])
    headers = dict(signer.headers(7, BODY, int(now.timestamp() * 1000)))
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(BODY, headers)["amount"] == "500.00"
        verdict = STANDARD.verify(_request(headers), [secret], now)
        assert verdict == Accepted(message_id(7))


@given(body=st.text(max_size=200), id_=st.from_regex(r"\A[A-Za-z0-9_.-]{1,40}\Z"))
def test_we_and_the_library_accept_and_refuse_the_same(body: str, id_: str) -> None:
    now = datetime.now(UTC)
    told = _signed(SECRET, now, id_, body.encode("utf-8", "replace"))
    for secret in (SECRET, OTHER):
        try:
            Webhook(secret).verify(told.body, dict(told.headers), json_parse=False)
            expected = True
        except Exception:
            expected = False
        assert isinstance(STANDARD.verify(told, [secret], now), Accepted) == expected


def test_a_body_is_proven_byte_by_byte_whatever_its_bytes_say() -> None:
    body = b'{"id": 1}\n{"id": "\xff"}\n'
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    told = f"msg_1.{int(NOW.timestamp())}.".encode() + body
    digest = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    good = _signed(SECRET)
    asked = replace(good, body=body, headers={**good.headers, "Webhook-Signature": f"v1,{digest}"})
    assert STANDARD.verify(asked, [SECRET], NOW) == Accepted("msg_1")
    assert (
        _code(STANDARD.verify(replace(asked, body=body[:-1]), [SECRET], NOW)) == "wrong_signature"
    )


def test_while_secrets_are_rotated_either_is_enough() -> None:
    assert STANDARD.verify(_signed(SECRET), [OTHER, SECRET], NOW) == Accepted("msg_1")
    both = _signed(SECRET)
    more = Webhook(OTHER).sign("msg_1", NOW, BODY.decode())
    headers = {**both.headers, "Webhook-Signature": f"v1a,xyz {more}"}
    assert STANDARD.verify(replace(both, headers=headers), [OTHER], NOW) == Accepted("msg_1")


def test_what_is_wrong_with_a_standard_webhook_is_named() -> None:
    good = _signed(SECRET)

    def with_(**headers: str) -> Request:
        told = {name.replace("_", "-").title(): value for name, value in headers.items()}
        return replace(good, headers={**good.headers, **told})

    def verdict(request: Request, *held: str, now: datetime = NOW) -> str:
        return _code(STANDARD.verify(request, held or [SECRET], now))

    assert verdict(good, OTHER) == "wrong_signature"
    assert verdict(replace(good, body=BODY + b" ")) == "wrong_signature"
    assert verdict(replace(good, body=b"\xff")) == "wrong_signature"
    assert verdict(with_(webhook_id="msg_2")) == "wrong_signature"
    assert verdict(with_(webhook_id="a\nb")) == "bad_header"
    assert verdict(with_(webhook_signature="")) == "missing_header"
    assert verdict(with_(webhook_signature="v1,")) == "wrong_signature"
    assert verdict(with_(webhook_signature="v2,abc")) == "wrong_signature"
    assert verdict(with_(webhook_timestamp="today")) == "bad_timestamp"
    assert verdict(with_(webhook_timestamp="9" * 12)) == "stale"
    assert verdict(good, now=NOW + timedelta(seconds=301)) == "stale"
    assert verdict(good, now=NOW - timedelta(seconds=301)) == "stale"
    assert verdict(good, "") == "no_secret"
    assert verdict(good, "whsec_", "not base64 ü") == "wrong_signature"
    assert STANDARD.verify(good, [SECRET], NOW + timedelta(seconds=300)) == Accepted("msg_1")


@pytest.mark.parametrize("digest", ["sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha="])
def test_a_hmac_of_the_raw_body_in_a_named_header(digest: str, encoding: str, prefix: str) -> None:
    way = read_verification([{"method": "hmac", "header": "X-Sig", "encoding": encoding,
                              "digest": digest, "prefix": prefix}])  # fmt: skip
    raw = hmac.new(b"a secret of theirs", BODY, getattr(hashlib, digest)).digest()
    text = prefix + (raw.hex() if encoding == "hex" else base64.b64encode(raw).decode())
    held = ["an older secret!", "a secret of theirs"]
    assert way.verify(_request({"x-sig": text}), held, NOW) == Accepted()
    if encoding == "hex":
        assert way.verify(_request({"x-sig": prefix + raw.hex().upper()}), held, NOW) == Accepted()
    assert _code(way.verify(_request({"x-sig": text[:-4]}), held, NOW)) == "wrong_signature"
    assert _code(way.verify(_request({"x-sig": text}, BODY[:-1]), held, NOW)) == "wrong_signature"
    assert _code(way.verify(_request({"x-sig": prefix + "ü~"}), held, NOW)) == "wrong_signature"
    assert _code(way.verify(_request({}), held, NOW)) == "missing_header"
    if prefix:
        assert _code(way.verify(_request({"x-sig": text[4:]}), held, NOW)) == "bad_header"


def test_broctagons_published_example() -> None:
    """The secret, payload and signature of its documentation of webhooks."""
    way = read_verification([{"method": "hmac", "header": "X-Crm-Signature"}])
    signature = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    request = _request({"X-Crm-Signature": signature}, b"Hello, World!")
    assert way.verify(request, ["It's a Secret to Everybody"], NOW) == Accepted()


def test_hubspot_v3() -> None:
    way = read_verification([{"method": "hubspot-v3"}])
    held, stamp = ["client-secret"], str(int(NOW.timestamp() * 1000))

    def signed(text: str) -> str:
        raw = hmac.new(b"client-secret", text.encode(), hashlib.sha256).digest()
        return base64.b64encode(raw).decode()

    signature = signed(f"POSThttps://ib.example.com/in/crm?x=1{BODY.decode()}{stamp}")
    headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
    good = _request(headers)
    assert way.verify(good, held, NOW) == Accepted()
    assert way.verify(good, ["old-secret", *held], NOW + timedelta(minutes=5)) == Accepted()
    assert _code(way.verify(good, held, NOW + timedelta(seconds=301))) == "stale"
    assert _code(way.verify(replace(good, url="https://ib.example.com/in/b"), held, NOW)) == (
        "wrong_signature"
    )
    assert _code(way.verify(replace(good, method="PUT"), held, NOW)) == "wrong_signature"
    late = {**headers, "X-HubSpot-Request-Timestamp": str(int(stamp) + 1)}
    assert _code(way.verify(replace(good, headers=late), held, NOW)) == "wrong_signature"
    none = {**headers, "X-HubSpot-Request-Timestamp": "x"}
    assert _code(way.verify(replace(good, headers=none), held, NOW)) == "bad_timestamp"
    assert _code(way.verify(_request({}), held, NOW)) == "missing_header"
    # Some characters of the address are decoded before it is signed, others are not.
    signature = signed(f"POSThttps://ib.example.com/a:b?q=%20@,(1){BODY.decode()}{stamp}")
    encoded = _request({**headers, "X-HubSpot-Signature-v3": signature},
                       url="https://ib.example.com/a%3ab?q=%20%40%2C%281%29")  # fmt: skip
    assert way.verify(encoded, held, NOW) == Accepted()


def test_basic_and_bearer() -> None:
    basic = read_verification([{"method": "basic", "user": "crm"}])

    def with_(text: str) -> Request:
        return _request({"Authorization": text})

    password = base64.b64encode(b"crm:pass:word").decode()
    assert basic.verify(with_(f"basic {password}"), ["pass:word"], NOW) == Accepted()
    assert _code(basic.verify(with_(f"Basic {password}"), ["else"], NOW)) == "wrong_password"
    assert _code(basic.verify(with_("Basic ???"), ["pass:word"], NOW)) == "wrong_password"
    assert _code(basic.verify(with_("Bearer x"), ["pass:word"], NOW)) == "missing_header"
    bearer = read_verification([{"method": "bearer"}])
    assert bearer.verify(with_("Bearer  tok"), ["old", "tok"], NOW) == Accepted()
    assert _code(bearer.verify(with_("Bearer tök"), ["old", "tok"], NOW)) == "wrong_token"
    assert _code(bearer.verify(with_("Basic tok"), ["tok"], NOW)) == "missing_header"
    named = read_verification([{"method": "bearer", "header": "X-Api-Key"}])
    assert named.verify(_request({"x-api-key": "tok"}), ["tok"], NOW) == Accepted()


def test_a_list_of_addresses_alone_and_beside_a_secret() -> None:
    networks = {"method": "address", "networks": ["203.0.113.0/24", "2001:db8::/32"]}
    alone = read_verification([networks])
    for address in ("203.0.113.7", "::ffff:203.0.113.7", "2001:db8::1", "2001:db8::1%eth0"):
        assert alone.verify(_request({}, address=address), [], NOW) == Accepted()
    assert _code(alone.verify(_request({}, address="198.51.100.1"), [], NOW)) == "wrong_address"
    assert _code(alone.verify(_request({}), [], NOW)) == "unknown_address"
    both = read_verification([networks, {"method": "bearer"}])
    token = {"Authorization": "Bearer tok"}
    inside = _request(token, address="203.0.113.7")
    assert both.verify(inside, ["tok"], NOW) == Accepted()
    assert _code(both.verify(replace(inside, address="::1"), ["tok"], NOW)) == "wrong_address"
    assert _code(both.verify(replace(inside, headers={}), ["tok"], NOW)) == "missing_header"


@pytest.mark.parametrize(
    ("told", "what"),
    [
        ([], "a list of proofs"),
        ("{", "not valid JSON"),
        ([1], "a proof is an object"),
        ([{"method": "hmack"}], "did you mean hmac"),
        ([{"method": "hmac"}], "name the header"),
        ([{"method": "hmac", "header": "a b"}], "no name of a header"),
        ([{"method": "hmac", "header": "X", "digest": "md5"}], "neither sha256 nor sha512"),
        ([{"method": "basic"}], "name the user"),
        ([{"method": "bearer", "networks": []}], "no such key"),
        ([{"method": "address"}], "a list of 1 to"),
        ([{"method": "address", "networks": ["203.0.113.1/24"]}], "no address or network"),
        ([{"method": "bearer"}, {"method": "hubspot-v3"}], "one method with a secret"),
        ([{"method": "bearer"}, {"method": "bearer"}], "twice"),
    ],
)
def test_a_wrong_configuration_is_named(told: Any, what: str) -> None:
    with pytest.raises(BadInput, match=what) as caught:
        read_verification(told)
    assert caught.value.code == "bad_verification"


def test_secrets_are_checked_when_they_are_set() -> None:
    check_secret(STANDARD, SECRET)
    bearer = read_verification([{"method": "bearer"}])
    check_secret(bearer, "a-long-token-1")
    alone = read_verification([{"method": "address", "networks": ["::1"]}])
    for way, secret in ((STANDARD, "short"), (STANDARD, "whsec_YWJj"), (bearer, "short"),
                        (bearer, " a-long-token-1"), (alone, SECRET)):  # fmt: skip
        with pytest.raises(BadInput):
            check_secret(way, secret)


@given(
    st.sampled_from(["standard-webhooks", "hubspot-v3", "bearer", "basic", "hmac"]),
    st.dictionaries(
        st.sampled_from(["Authorization", "webhook-id", "webhook-timestamp", "webhook-signature",
                         "X-Sig", "X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"]),
        st.text(max_size=60),
    ),
    st.binary(max_size=60),
)  # fmt: skip
def test_no_request_raises_and_none_is_accepted_unproven(
    method: str, headers: dict[str, str], body: bytes
) -> None:
    more = {"hmac": {"header": "X-Sig"}, "basic": {"user": "u"}}.get(method, {})
    way = read_verification([{"method": method, **more}])
    verdict = way.verify(_request(headers, body), [random_secrets.token_hex(32)], NOW)
    assert isinstance(verdict, Refused)
