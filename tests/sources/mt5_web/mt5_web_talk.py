"""A connector on a scripted server, as the `talk` fixture hands it over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scripted_tls import TlsServer

from pipshare.sources.mt5_web import Mt5Web


@dataclass
class Talk:
    """A connector, the server it talks to, and what it logged. Time passes by `now` only."""

    server: TlsServer
    web: Mt5Web
    log: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    now: float = 1572518788.0


Talking = Callable[..., Talk]
