"""Which rights a manager login has, found out by trying one harmless command of each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipshare.sources.mt5_web import tables
from pipshare.sources.mt5_web.answer import value
from pipshare.sources.mt5_web.certificate import Certificate
from pipshare.sources.mt5_web.config import Config
from pipshare.sources.mt5_web.errors import NotAllowed, Refused
from pipshare.sources.mt5_web.sessions import Sessions

_PERSON = ("Name", "Country", "City", "Email", "Phone")
_EVER = {"from": 0, "to": 2**31 - 1}
Try = Callable[[], str]


@dataclass(frozen=True)
class Access:
    """What was tried with which result.

    `tried` maps a kind ("time", "groups", "symbols", "users", "person" = personal data, "accounts",
    "deals", "positions", "orders") to "" where it works, else to a sentence that says what the
    administrator has to grant. `version` is the access server's build.
    """

    version: str
    certificate: Certificate
    tried: dict[str, str] = field(default_factory=dict)

    def missing(self) -> list[str]:
        """The sentences about what does not work."""
        return [sentence for sentence in self.tried.values() if sentence]


def tried(sessions: Sessions, config: Config) -> Access:
    """Try all kinds. Raises Unavailable when the server does not answer at all."""
    who = f"manager {config.login}"
    found: dict[str, str] = {
        "time": _try(sessions, "/api/time/server", "the server's time", who),
        "groups": _some(sessions, "/api/group/total", "groups", who),
        "symbols": _some(sessions, "/api/symbol/list", "symbols", who),
    }
    login, found["users"] = _first_login(sessions, config, who)
    if login is None:
        lacks = "could not be tried, because no account is visible"
        found |= {kind: f"{kind}: {lacks}" for kind in ("person", "accounts", "deals", "positions",
                                                        "orders")}  # fmt: skip
    else:
        found |= _of_login(sessions, login, who)
    return Access(sessions.last.version, sessions.last.certificate, found)


def _of_login(sessions: Sessions, login: int, who: str) -> dict[str, str]:
    """Try what needs an account. Order deals and positions need "Access to trade orders"."""
    right = "the right 'Access to trade orders'"
    return {
        "person": _person(sessions, login, who),
        "accounts": _try(sessions, "/api/user/account/get", "balances of accounts", who,
                         "the right 'Access to accounts'", login=login),
        "deals": _try(sessions, "/api/deal/get_total", "deals", who, right, login=login, **_EVER),
        "positions": _try(sessions, "/api/position/get_total", "positions", who, right,
                          login=login),
        "orders": _try(sessions, "/api/history/get_total", "closed orders", who, right,
                       login=login, **_EVER),
    }  # fmt: skip


def _try(
    sessions: Sessions, path: str, what: str, who: str, right: str = "its right", /,
    **params: object,
) -> str:  # fmt: skip
    try:
        sessions.ask(path, **params)
    except (NotAllowed, Refused) as error:
        return f"{what} cannot be read: grant {who} {right} ({error.message})"
    return ""


def _some(sessions: Sessions, path: str, what: str, who: str) -> str:
    try:
        told: Any = value(sessions.ask(path))
    except (NotAllowed, Refused) as error:
        return f"{what} cannot be read: grant {who} its right ({error.message})"
    total = tables.whole(str(told.get("total", ""))) if isinstance(told, dict) else len(told or [])
    if total:
        return ""
    return f"no {what} are visible to {who}: check the list of groups of the manager, and that " \
        "its own group has symbols"  # fmt: skip


def _first_login(sessions: Sessions, config: Config, who: str) -> tuple[int | None, str]:
    try:
        logins = tables.logins(value(sessions.ask("/api/user/logins", group=config.groups)))
    except (NotAllowed, Refused) as error:
        return None, (
            f"accounts cannot be read: grant {who} the right 'Access to accounts' ({error.message})"
        )
    if logins:
        return logins[0], ""
    return None, (
        f"no account in groups {config.groups} is visible to {who}: add the groups to the list of "
        "groups of the manager, or correct the masks of this source"
    )


def _person(sessions: Sessions, login: int, who: str) -> str:
    try:
        told = tables.objects(value(sessions.ask("/api/user/get", login=login)))
    except (NotAllowed, Refused) as error:
        return f"account {login} cannot be read by {who} ({error.message})"
    if told and any(str(told[0].get(name, "")).strip() for name in _PERSON):
        return ""
    return (
        f"country and status of accounts are empty: grant {who} the right 'Access to personal "
        "data' if rules depend on the country"
    )
