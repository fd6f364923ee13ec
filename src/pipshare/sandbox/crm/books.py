"""The CRM's books: who came, what happened to him so far, and what is to be told by webhook.

Deeds fall due by the clock, or are made by hand. Each becomes a record of the partner API or a
webhook, never both: what the API lacks is what the webhooks are for.
"""

from __future__ import annotations

import heapq
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from random import Random
from typing import Any

from pipshare.sandbox.crm.clock import DAY_S, Clock
from pipshare.sandbox.crm.people import FIRST, NUMBERS, Trader, tag_of, trader
from pipshare.sandbox.crm.plots import DEEDS, PLOTS, RECORDED, Deed, plot_of, story
from pipshare.sandbox.crm.webhooks import Webhook, webhook

LEADS, ACCOUNTS, MONEY, ACTIVITY = APIS = (
    "LeadRegistration", "TradeInfo", "TransactionInfo", "TraderStatus",
)  # fmt: skip
_ACTIONS = {"deposit": "Incoming Funds", "withdrawal": "Outgoing Funds",
            "transfer": "Internal Transfers", "credit in": "Credit In", "credit out": "Credit Out",
            "trade": "Trade", "payment failed": "Incoming Funds"}  # fmt: skip
_HAND = NUMBERS - 1  # deeds made by hand are numbered downwards from here


@dataclass(frozen=True)
class Cast:
    """Who comes: numbered from `first`, `at_once` at the start, then one each `every_s` real
    seconds (0 = nobody more), `most` in all. A share of `untagged` was introduced by nobody."""

    seed: int = 7
    first: int = FIRST
    at_once: int = len(PLOTS)
    every_s: float = 20.0
    most: int = 1_000_000
    affiliates: tuple[str, ...] = ("111", "112", "330")
    coins: tuple[str, ...] = ("USD", "EUR")
    untagged: float = 0.1


@dataclass(frozen=True)
class Record:
    """A record of the partner API, dated."""

    api: str
    at: datetime
    fields: dict[str, Any]


class Cents(int):
    """An amount in cents, which the API writes as a number with two decimals."""


class Books:
    """Everything that happened. Any thread may use it."""

    def __init__(self, cast: Cast, clock: Clock, zone: tzinfo) -> None:
        self.cast, self.clock, self.zone = cast, clock, zone
        self.records: dict[str, list[Record]] = {api: [] for api in APIS}
        self.happened: list[dict[str, Any]] = []
        self.traders: dict[int, Trader] = {}
        self._money: dict[int, dict[str, Any]] = {}  # by transaction or bonus
        self._model: Trader | None = None  # whom others turn out to be
        self._due: list[tuple[float, int, int, Deed]] = []
        self._came = self._scripted = 0  # all, and those who were not let in by hand
        self._by_hand: dict[int, int] = {}  # the next number of a deed made by hand, by trader
        self._lock = threading.RLock()

    def advance(self, now: datetime) -> list[Webhook]:
        """Let happen what is due; return the webhooks that tell of it, in order."""
        with self._lock:
            passed = self.clock.story_s(now)
            while (due := self._arrives()) is not None and due <= passed:
                self._let_in(due)
            hooks = []
            while self._due and self._due[0][0] <= passed:
                at, number, _, deed = heapq.heappop(self._due)
                hooks += self._happen(self.traders[number], deed, self.clock.stamp(at))
            return hooks

    def add_trader(self, now: datetime, plot: str, tag: str | None = None) -> Trader:
        """Let somebody come now, whatever the clock says; his story begins. `tag` None =
        one of his own, "" = nobody introduced him. Raises ValueError for an unknown plot."""
        with self._lock:
            if plot not in PLOTS:
                raise ValueError(f"no plot {plot!r}; there are {', '.join(PLOTS)}")
            return self._enter(plot, self.clock.story_s(now), tag)

    def make(
        self, now: datetime, number: int, what: str, told: dict[str, Any]
    ) -> tuple[int, list[Webhook]]:
        """Let a deed happen now; `of` in `told` is a transaction's number.

        Returns its own number and the webhooks. Raises ValueError for what is no deed, and for an
        unknown trader or transaction.
        """
        if what not in DEEDS or what == "registered":
            raise ValueError(f"no deed {what!r}; there are {', '.join(DEEDS[1:])}")
        with self._lock:
            who = self.traders.get(number)
            of = int(told.get("of") or 0)
            if who is None or (of and (of not in self._money or of // NUMBERS != number)):
                raise ValueError(f"no transaction {of} of trader {number}" if who else
                                 f"no trader {number}")  # fmt: skip
            if of:
                told = {**told, "of": of % NUMBERS}
            place = self._by_hand.get(number, _HAND)
            self._by_hand[number] = place - 1
            told = {"cents": 50_000, "way": "Card", "state": "verified", "paper": "passport",
                    "valid_days": 365, "rule": "by hand", "why": "by hand", "turnover": 10_000,
                    **told}  # fmt: skip
            stamp = self.clock.stamp(self.clock.story_s(now))
            return who.id_of(place), self._happen(who, Deed(0, what, place, told), stamp)

    def between(self, api: str, first: datetime, end: datetime) -> list[dict[str, Any]]:
        """Return an API's records with first <= at < end, oldest first."""
        with self._lock:
            return [one.fields for one in self.records[api] if first <= one.at < end]

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """Return what happened, newest first."""
        with self._lock:
            return self.happened[: -limit - 1 : -1]

    def _arrives(self) -> float | None:
        """Return the moment of the stories at which the next one comes."""
        cast, place = self.cast, self._scripted
        if place >= cast.most or (place >= cast.at_once and not cast.every_s):
            return None
        late = max(0, place - cast.at_once + 1)
        return late * cast.every_s * DAY_S / self.clock.day_s

    def _let_in(self, story_s: float) -> None:
        self._scripted += 1
        self._enter(plot_of(self.cast.seed, self._came), story_s, None)

    def _enter(self, plot: str, story_s: float, tag: str | None) -> Trader:
        cast = self.cast
        made = trader(
            cast.seed, cast.first + self._came, plot, cast.affiliates, cast.coins, cast.untagged
        )
        who = made if tag is None else Trader(**{**made.__dict__, "tag": tag})
        self._came += 1
        self.traders[who.number] = who
        for deed in story(who):
            entry = (story_s + deed.after_s, who.number, deed.number, deed)
            heapq.heappush(self._due, entry)
        if plot == "stays":
            self._model = who
        return who

    def _happen(self, who: Trader, deed: Deed, at: datetime) -> list[Webhook]:
        told = dict(deed.told)
        if "of" in told:
            told["of"] = who.id_of(told["of"])
            told |= {key: value for key, value in self._money.get(told["of"], {}).items()
                     if key in ("cents", "way", "action")}  # fmt: skip
        if deed.what in ("merged", "unmerged", "duplicate", "not duplicate"):
            if self._model is None or self._model == who:
                return []
            told["other"] = self._model.number
        if deed.what == "moved":
            told["to"] = self._elsewhere(who)
            if not told["to"]:  # there is one affiliate only
                return []
        number = who.id_of(deed.number)
        action = _ACTIONS.get(deed.what, "")
        told.setdefault("action", f"{action} - {told['way']}" if "way" in told else action)
        if "cents" in told and "of" not in told:
            self._money[number] = told
        told |= {"number": number, "at": at.astimezone(self.zone)}
        self.happened.append({
            "at": at.isoformat(timespec="milliseconds"), "trader": who.number, "plot": who.plot,
            "what": deed.what, "number": number,
            **{key: told[key] for key, value in deed.told.items() if value},
        })  # fmt: skip
        if deed.what in RECORDED:
            self._record(who, deed.what, at, told)
            return []
        if told.get("valid_days"):
            told["valid_until"] = (told["at"] + timedelta(days=told["valid_days"])).date()
        return [webhook(who, deed.what, told)]

    def _elsewhere(self, who: Trader) -> str:
        others = tuple(one for one in self.cast.affiliates if not who.tag.startswith(f"a{one}-"))
        return tag_of(Random(f"{who.seed}:moved:{who.number}"), others, who.country)

    def _record(self, who: Trader, what: str, at: datetime, told: dict[str, Any]) -> None:
        date = told["at"].strftime("%Y-%m-%dT%H:%M:%S")
        if what == "registered":
            api, fields = LEADS, {
                "TraderID": who.number, "TraderName": who.name, "RegistrationDate": date,
                "Status": "Active", "CTag___SubCampaign": who.tag,
            }  # fmt: skip
        elif what == "account":
            api, fields = ACCOUNTS, {"TraderID": who.number, "TraderAlias": who.login,
                                     "CreationDate": date, "cTag": who.tag}  # fmt: skip
        else:
            api = ACTIVITY if what == "trade" else MONEY
            fields = {"TransactionID": told["number"], "TraderID": who.number,
                      "TransactionDate": date, "cTag": who.tag, "ActionType": told["action"],
                      "Coin": who.coin, "Amount": Cents(told["cents"])}  # fmt: skip
            if what == "trade":
                fields |= {"Turnover": told["turnover"], "Spreads": Cents(told["cents"] // 2)}
        self.records[api].append(Record(api, at, fields))
