"""Who sent a request: the address that it came from, behind the operator's proxies."""

from __future__ import annotations

from django.http import HttpRequest

from pipshare.settings import ENV


def sender_of(request: HttpRequest) -> str:
    """Return the address that a request came from, "" where it cannot be told.

    Behind PIPSHARE_PROXIES proxies it is what the outermost of them was connected with.
    """
    proxies = ENV.proxies
    if not proxies:
        return str(request.META.get("REMOTE_ADDR", ""))
    passed = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
    return passed[-proxies] if len(passed) >= proxies else ""
