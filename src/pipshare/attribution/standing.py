"""How a trade stands towards partners, and why: the words that attribution gives out."""

from __future__ import annotations

from enum import IntEnum


class Standing(IntEnum):
    """Whose trade it is. All but UNKNOWN are settled; an unknown trade waits."""

    UNKNOWN = 0
    INTRODUCED = 1
    DIRECT = 2
    EXCLUDED = 3


class Why(IntEnum):
    """What decided the standing. `Why.X.name.lower()` is the stable word in tables and JSON."""

    INTRODUCED = 0
    UNKNOWN_ACCOUNT = 1
    NO_RELATION = 2
    ACCOUNT_EXCLUDED = 3
    GROUP_EXCLUDED = 4
    ACCOUNT_DIRECT = 5
    GROUP_DIRECT = 6
    CLIENT_DIRECT = 7
    NATIVE_AGENT = 8
    AGENT_PAID = 9
    NOT_INTRODUCED_AT_OPENING = 10
    OTHER_PROGRAMME_AT_OPENING = 11

    @property
    def standing(self) -> Standing:
        """The standing that this reason leads to."""
        return _STANDING[self]

    @property
    def sentence(self) -> str:
        """What it means, and what to do where something is to be done."""
        return _SENTENCE[self]


_STANDING = {
    Why.INTRODUCED: Standing.INTRODUCED,
    Why.UNKNOWN_ACCOUNT: Standing.UNKNOWN,
    Why.NO_RELATION: Standing.UNKNOWN,
    Why.ACCOUNT_EXCLUDED: Standing.EXCLUDED,
    Why.GROUP_EXCLUDED: Standing.EXCLUDED,
    Why.ACCOUNT_DIRECT: Standing.DIRECT,
    Why.GROUP_DIRECT: Standing.DIRECT,
    Why.CLIENT_DIRECT: Standing.DIRECT,
    Why.NATIVE_AGENT: Standing.UNKNOWN,
    Why.AGENT_PAID: Standing.EXCLUDED,
    Why.NOT_INTRODUCED_AT_OPENING: Standing.DIRECT,
    Why.OTHER_PROGRAMME_AT_OPENING: Standing.DIRECT,
}
_SENTENCE = {
    Why.INTRODUCED: "the client was introduced by the first partner of the chain",
    Why.UNKNOWN_ACCOUNT: "nobody has said whose account this is: load accounts with this login",
    Why.NO_RELATION: "nobody has said who introduced this client: load relations for the client,"
    " with a partner or `direct`",
    Why.ACCOUNT_EXCLUDED: "the account is excluded",
    Why.GROUP_EXCLUDED: "the account's group is excluded",
    Why.ACCOUNT_DIRECT: "the account is direct: nobody earns",
    Why.GROUP_DIRECT: "the account's group is direct: nobody earns",
    Why.CLIENT_DIRECT: "the client is direct: nobody earns",
    Why.NATIVE_AGENT: "the platform itself pays an agent for this account, and paying a partner too"
    " would pay twice: decide with `pipshare agent decide`, --pay or --none",
    Why.AGENT_PAID: "the platform itself pays this account's agent, and it was decided that nobody"
    " earns from us",
    Why.NOT_INTRODUCED_AT_OPENING: "the programme pays the partners of the trade's opening, and"
    " nobody had introduced the client then: nobody earns",
    Why.OTHER_PROGRAMME_AT_OPENING: "the programme pays the partners of the trade's opening, and"
    " the client's partner then is in a programme that pays those of the close: nobody earns",
}
STANDING_OF_WHY = tuple(int(_STANDING[why]) for why in Why)
ACCOUNT_STATUSES = ("active", "disabled", "excluded", "direct")  # codes in kernel columns
TREATMENTS = ("normal", "excluded", "direct")
AGENT_HOLD, AGENT_NONE, AGENT_PAY = 1, 2, 3  # of a native agent: nobody has decided; decisions
