"""Trading accounts: who they are by the seed, and what has become of them."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.sandbox.mt5.world.masks import fits
from pipshare.sandbox.mt5.world.price_list import GROUPS, Group

FIRST_LOGIN = 71_000_001
_SHARES = tuple(number for number, group in enumerate(GROUPS) for _ in range(group.share))
_ECN = next(number for number, group in enumerate(GROUPS) if group.type == "ecn")
_COUNTRIES = ("PT", "ES", "AE", "JP", "DE", "BG", "ZA", "MY", "BR", "TH", "VN", "NG")
_FIRST = ("Ana", "Bilal", "Chen", "Daria", "Emeka", "Farah", "Goran", "Hana", "Ivo", "Joana",
          "Kenji", "Lina", "Mateus", "Nadia", "Omar", "Petra", "Rui", "Sofia", "Tomas")  # fmt: skip
_LAST = ("Almeida", "Baker", "Costa", "Dimitrov", "Endo", "Ferreira", "Garcia", "Haddad", "Ito",
         "Jansen", "Khan", "Lopes", "Meyer", "Novak", "Okafor", "Pires", "Rossi", "Silva",
         "Tanaka", "Weber")  # fmt: skip
_DEPOSITS = (25_000, 50_000, 100_000, 200_000, 500_000, 500_000, 1_000_000, 5_000_000)
_AGENTS = 3  # accounts that a few others name as their agent
_EDITED_IN_PLACE = ("Group", "Agent")


class Accounts:
    """Accounts by number from 0. Balances and credits are cents; `agent` is a login, 0 = none.

    What the seed says of an account (name, country, first deposit) is worked out when asked for;
    what happens to it is kept here.
    """

    def __init__(self, seed: int, count: int) -> None:
        self._seed = seed
        self.group: list[int] = []
        self.balance: list[int] = []
        self.credit: list[int] = []
        self.agent: list[int] = []
        self.archived: set[int] = set()
        self.masks: list[str] = [group.name for group in GROUPS if group.hidden]
        self.edits: dict[int, dict[str, str]] = {}
        self._visible: npt.NDArray[np.bool_] | None = None
        for _ in range(count):
            self.open()

    def __len__(self) -> int:
        return len(self.group)

    def open(self) -> int:
        """Open one more account; return its number."""
        number = len(self.group)
        random = self._random(number)
        group = random.choice(_SHARES)
        self.group.append(_ECN if number < _AGENTS else group)
        self.balance.append(0)
        self.credit.append(0)
        named = number >= _AGENTS and GROUPS[group].type != "house" and random.random() < 0.01
        self.agent.append(login_of(number % _AGENTS) if named else 0)
        self._visible = None
        return number

    def group_of(self, number: int) -> Group:
        """Return an account's group."""
        return GROUPS[self.group[number]]

    def first_deposit(self, number: int) -> int:
        """Return the cents an account opened with."""
        cents = Random(f"{self._seed}:deposit:{number}").choice(_DEPOSITS)
        return cents * 100 if self.group_of(number).type in ("house", "cent") else cents

    def age_s(self, number: int) -> int:
        """Return how many seconds before the first start the account was opened."""
        return Random(f"{self._seed}:age:{number}").randrange(130 * 86_400, 400 * 86_400)

    def number(self, login: int) -> int | None:
        """Return the account of a login, visible or not; None = there is none."""
        number = login - FIRST_LOGIN
        return number if 0 <= number < len(self) else None

    def seen(self, login: int) -> int | None:
        """Return the account of a login if the manager may see it."""
        number = self.number(login)
        return number if number is not None and self.visible()[number] else None

    def visible(self) -> npt.NDArray[np.bool_]:
        """Return for each account whether the manager sees it."""
        if self._visible is None:
            hidden = [any(fits(group.name, mask) for mask in self.masks) for group in GROUPS]
            self._visible = ~np.array(hidden, np.bool_)[np.array(self.group, np.int64)]
            self._visible[list(self.archived)] = False
        return self._visible

    def changed(self) -> None:
        """Say that a group, a mask or the archive has changed."""
        self._visible = None

    def person(self, number: int) -> dict[str, str]:
        """Return what the seed, and edits since, say of the account's owner."""
        random = self._random(number)
        random.random()
        first, last = random.choice(_FIRST), random.choice(_LAST)
        person = {
            "FirstName": first,
            "LastName": last,
            "Name": f"{first} {last}",
            "Country": random.choice(_COUNTRIES),
            "City": "",
            "Email": f"{first}.{last}.{number}@example.com".lower(),
            "Phone": f"+99{random.randrange(10**8, 10**9)}",
            "Leverage": random.choice(("30", "100", "200", "500")),
            "Status": random.choice(("", "", "", "RE")),
            "Rights": "483",
            "Comment": "",
        }
        return person | self.edits.get(number, {})

    def edit(self, number: int, fields: dict[str, str]) -> None:
        """Change an account: its group, its agent, or anything else that a user record has."""
        if "Group" in fields:
            self.group[number] = next(n for n, g in enumerate(GROUPS) if g.name == fields["Group"])
            self.changed()
        if "Agent" in fields:
            self.agent[number] = int(fields["Agent"])
        rest = {name: value for name, value in fields.items() if name not in _EDITED_IN_PLACE}
        if rest:
            self.edits.setdefault(number, {}).update(rest)

    def to_state(self) -> dict[str, Any]:
        """Return what happened to the accounts, for the file."""
        return {
            "group": self.group, "balance": self.balance, "credit": self.credit,
            "agent": self.agent, "archived": sorted(self.archived), "masks": self.masks,
            "edits": {str(number): fields for number, fields in self.edits.items()},
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what the file says."""
        self.group, self.balance = state["group"], state["balance"]
        self.credit, self.agent = state["credit"], state["agent"]
        self.archived, self.masks = set(state["archived"]), state["masks"]
        self.edits = {int(number): fields for number, fields in state["edits"].items()}
        self.changed()

    def _random(self, number: int) -> Random:
        return Random(f"{self._seed}:account:{number}")


def login_of(number: int) -> int:
    """Return the login of an account."""
    return FIRST_LOGIN + number
