"""Which addresses and URLs messages may go to, in every form in which they can be written."""

from __future__ import annotations

import ipaddress

import pytest

from pipshare.errors import BadInput
from pipshare.outbox.egress import check_url, opened, refused

_CLOSED = """
127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 0.0.0.0
0.1.2.3 100.64.0.1 100.127.255.254 100.100.100.200 192.0.0.170 192.0.2.1 198.51.100.7 203.0.113.9
198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255 168.63.129.16 192.88.99.1
:: ::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:169.254.169.254 ::127.0.0.1 fe80::1 fe80::1%eth0
fc00::1 fd00:ec2::254 fdff::1 fec0::1 ff02::1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::10.0.0.1
64:ff9b:1::1 2001::1 2001:db8::1 2002:7f00:1::1 2002:5db8:d822::1 3fff::1 100::1 5f00::1 nonsense
"""
_OPEN = """
8.8.8.8 93.184.216.34 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 ::ffff:8.8.8.8
2606:2800:220:1:248:1893:25c8:1946 2a00:1450:4001::200e 64:ff9b::8.8.8.8
"""


@pytest.mark.parametrize("address", _CLOSED.split())
def test_refused(address: str) -> None:
    assert refused(address)


@pytest.mark.parametrize("address", _OPEN.split())
def test_not_refused(address: str) -> None:
    assert refused(address) is None


def test_the_operator_opens_networks() -> None:
    allowed = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("fd00::/8")]
    for address in ("127.0.0.1", "::ffff:127.0.0.1", "fd12::1"):
        assert refused(address, allowed) is None
        assert opened(address, allowed)
    assert refused("10.0.0.1", allowed)
    assert refused("::1", allowed)
    assert not opened("8.8.8.8", allowed), "open to all, but not for http without TLS"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("tracker.example/postback", "no scheme"),
        ("//tracker.example/postback", "no scheme"),
        ("ftp://tracker.example/", "no scheme"),
        ("javascript:alert(1)", "no scheme"),
        ("https:///postback", "no host"),
        ("https://[fe80::1%25eth0]/", "names a zone"),
        ("https://%31%32%37.0.0.1/", "encodes its host"),
        ("https://{host}/x", "no host"),
        ("https://user:pw@tracker.example/", "user name"),
        ("https://tracker.example/a b", "space"),
        ("https://tracker.example/a\r\nX-Evil: 1", "line break"),
        ("https://tracker.example/a\x00", "sign"),
        ("https://tracker.example:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://tracker.example/" + "x" * 100_000, "100024 characters"),
        ("", "no scheme"),
    ],
)
def test_urls_that_nothing_can_be_sent_to(url: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as raised:
        check_url(url)
    assert len(raised.value.message) < 400


def test_urls_that_pass() -> None:
    check_url("https://tracker.example/postback?cid={click_id}&payout={payout}")
    check_url("http://127.0.0.1:8080/x")
    check_url("https://[2606:2800:220:1:248:1893:25c8:1946]:8443/")
