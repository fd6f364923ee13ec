"""Where messages may go: addresses, judged after resolution, and URLs as people write them.

Sources of the lists: IANA's IPv4 and IPv6 Special-Purpose Address Registries. The addresses at
which clouds give out their machines' credentials are among them but for one, listed on its own.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from pipshare.errors import BadInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LONGEST_URL = 8_192
_UNSENT = re.compile(r"[\x00-\x20\x7f]")

_CLOSED_4 = tuple(map(ipaddress.IPv4Network, (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "168.63.129.16/32",  # Azure's own, for its machines
)))  # fmt: skip
_OPEN_6 = ipaddress.IPv6Network("2000::/3")  # all that is given out; local, link and site are not
_CLOSED_6 = tuple(map(ipaddress.IPv6Network, (
    "2001::/23",  # Teredo and other protocols that carry an IPv4 address inside
    "2001:db8::/32", "2002::/16", "3fff::/20",  # documentation; 6to4, which carries IPv4 inside
)))  # fmt: skip
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # the IPv4 address in its last 32 bits is reached


def refused(address: str, allowed: Sequence[Network] = ()) -> str | None:
    """Return why an address may not be connected to, None when it may.

    `address` is what a resolver gave; `allowed` are networks that the operator opened.
    """
    given = unwrapped(address)
    if given is None:
        return f"{address} is no address"
    if opened(address, allowed):
        return None
    inner = ipaddress.IPv4Address(int(given) & 0xFFFFFFFF) if given in _NAT64 else given
    if isinstance(inner, ipaddress.IPv4Address):
        closed = any(inner in network for network in _CLOSED_4)
    else:
        closed = inner not in _OPEN_6 or any(inner in network for network in _CLOSED_6)
    if not closed:
        return None
    return (
        f"{address} is a private, local or reserved address; who wants to send there names its"
        " network in PIPSHARE_EGRESS_ALLOW"
    )


def opened(address: str, allowed: Sequence[Network]) -> bool:
    """Whether the operator opened this very address; only there http without TLS is spoken."""
    given = unwrapped(address)
    return given is not None and any(
        given in network for network in allowed if network.version == given.version
    )


def unwrapped(address: str) -> Address | None:
    """Return the address without a zone, a mapped one (::ffff:a.b.c.d) as the IPv4 it is."""
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(given, ipaddress.IPv6Address) and given.ipv4_mapped is not None:
        return given.ipv4_mapped
    return given


def check_url(url: str) -> None:
    """Raise BadInput when nothing can be sent to a URL (or template of one), and say why.

    http instead of https passes here: whether it may be spoken is known when the address is.
    """
    shown = url if len(url) <= 100 else f"{url[:100]}..."
    if len(url) > LONGEST_URL:
        raise BadInput("bad_url", f"the URL {shown!r} is {len(url)} characters long; at most"
                                  f" {LONGEST_URL} can be sent")  # fmt: skip
    if _UNSENT.search(url):
        raise BadInput("bad_url", f"the URL {shown!r} holds a space, a line break or another sign"
                                  " that no URL may carry: encode it")  # fmt: skip
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadInput("bad_url", f"the URL {shown!r} cannot be read: {error}") from None
    if parts.scheme not in ("https", "http"):
        raise BadInput("bad_url", f"the URL {shown!r} has no scheme: begin it with https://")
    if not host or "{" in parts.netloc:
        raise BadInput("bad_url", f"the URL {shown!r} names no host, or a macro stands in its"
                                  " place: write the host out")  # fmt: skip
    if "%" in host:
        raise BadInput("bad_url", f"the URL {shown!r} names a zone or encodes its host: write the"
                                  " host as it is")  # fmt: skip
    if parts.username is not None or parts.password is not None:
        raise BadInput("bad_url", "the URL carries a user name or password before the host: set an"
                                  " Authorization header for the receiver instead")  # fmt: skip
    if not (parts.path.isascii() and parts.query.isascii()):
        raise BadInput("bad_url", f"the URL {shown!r} holds letters that no URL may carry: write"
                                  " them with % (UTF-8)")  # fmt: skip
    if port == 0:
        raise BadInput("bad_url", f"the URL {shown!r} names port 0")
