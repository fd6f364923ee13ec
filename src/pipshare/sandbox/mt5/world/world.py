"""The world behind the sandbox MT5 server: one object, all of its calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipshare.errors import BadInput
from pipshare.sandbox.mt5.world import balance, calls, records, wall
from pipshare.sandbox.mt5.world.accounts import login_of
from pipshare.sandbox.mt5.world.activity import Activity
from pipshare.sandbox.mt5.world.block import Wanted
from pipshare.sandbox.mt5.world.deal_json import compact
from pipshare.sandbox.mt5.world.genesis import begin
from pipshare.sandbox.mt5.world.journal import Journal
from pipshare.sandbox.mt5.world.loads import write_loads
from pipshare.sandbox.mt5.world.masks import fits
from pipshare.sandbox.mt5.world.price_list import GROUPS
from pipshare.sandbox.mt5.world.realm import Realm
from pipshare.sandbox.mt5.world.refused import Refused
from pipshare.sandbox.mt5.world.size import Size

_ALL_TIME = 2**62
_SHUT_MS = 3_600_000  # a silence longer than this was a shutdown
_SAVE_MS = 60_000
_DAY_MS = 86_400_000


def utc_now_ms() -> int:
    """Return the present moment in UTC milliseconds."""
    return time.time_ns() // 1_000_000


class World:
    """A broker's trade server: accounts that trade, whether anybody looks or not.

    Safe for several threads (`lock`). Reads show what the last `advance` made. With a `folder` the
    world goes on where it was; without one it ends with the process. `clock` gives UTC
    milliseconds. Raises BadInput where the folder holds a world of another seed or size.
    """

    def __init__(self, seed: int = 7, size: Size | None = None, *, folder: Path | None = None,
                 clock: Callable[[], int] = utc_now_ms) -> None:  # fmt: skip
        self.lock = threading.RLock()
        self.seed, self.size, self.clock = seed, size or Size(), clock
        _check(self.size)
        self._journal = None if folder is None else Journal(folder)
        self._seen_ms = self._saved_ms = clock()
        try:
            saved = self._journal.read() if self._journal else None
            self._begin() if saved is None else self._resume(folder, *saved)
            self.advance()
            self.save()
        except BaseException:
            if self._journal:
                self._journal.close()
            raise

    # -- time ------------------------------------------------------------------------------------

    def server_ms(self, utc_ms: int) -> int:
        """Return the server's wall clock at a moment, in milliseconds "as if UTC"."""
        return utc_ms + wall.offset_ms(utc_ms)

    def time_settings(self) -> dict[str, str]:
        """Return the fields of the server's time settings."""
        return wall.time_settings(self.clock())

    def advance(self, utc_ms: int | None = None) -> int:
        """Make all activity up to now (or up to `utc_ms`); return how many deals are new."""
        with self.lock:
            now, realm = self.clock() if utc_ms is None else utc_ms, self._realm
            first, events = realm.next_deal, realm.events
            if now - self._seen_ms > _SHUT_MS:
                self._do("quiet", self._seen_ms, to_ms=now, rate_milli=self._quiet_rate())
            self._activity.until(now)
            if realm.events != events:
                self._write({"events": realm.events, "utc_ms": now})
            self._seen_ms = max(self._seen_ms, now)
            if now - self._saved_ms > _SAVE_MS:
                self.save()
            return realm.next_deal - first

    # -- reading ---------------------------------------------------------------------------------

    def deal(self, ticket: int) -> bytes | None:
        """Return a deal; None = there is none, or its account is out of sight."""
        with self.lock:
            row = self._realm.deals.find(ticket)
            seen = row is not None and self._realm.accounts.visible()[row.account]
            return row.data if row is not None and seen else None

    def deals(
        self, *, logins: Iterable[int] | None = None, tickets: Iterable[int] | None = None,
        from_s: int = 0, to_s: int = _ALL_TIME, symbol: str | None = None,
    ) -> list[bytes]:  # fmt: skip
        """Return deals in the order of their tickets; `logins` None = all that are visible.

        `from_s` and `to_s` are server seconds, both inclusive. With `tickets`, those that exist.
        """
        with self.lock:
            if tickets is not None:
                found = (self.deal(ticket) for ticket in tickets)
                return [data for data in found if data is not None]
            number = None if symbol is None else self._realm.symbols.get(symbol, -1)
            wanted = Wanted(from_s, to_s, self._mask(logins), number)
            return self._realm.deals.select(wanted)

    def logins(self, mask: str = "*") -> list[int]:
        """Return the logins in the groups that a mask names (`real*,!real\\cent`)."""
        with self.lock:
            accounts = self._realm.accounts
            named = [fits(group.name, mask) for group in GROUPS]
            seen = accounts.visible() & np.array(named)[np.array(accounts.group, np.int64)]
            return [login_of(account) for account in np.flatnonzero(seen).tolist()]

    def user(self, login: int) -> bytes | None:
        """Return a user record; None = there is none in sight."""
        return self._of_login(login, records.user)

    def account(self, login: int) -> bytes | None:
        """Return balance, margin and equity of an account; None = there is none in sight."""
        return self._of_login(login, records.account_state)

    def groups(self) -> list[bytes]:
        """Return the groups that the manager may see."""
        with self.lock:
            masks = self._realm.accounts.masks
            shown = [g for g in GROUPS if not any(fits(g.name, mask) for mask in masks)]
            return [compact(records.group(group)) for group in shown]

    def symbols(self) -> list[bytes]:
        """Return all symbols."""
        return [compact(record) for record in records.symbols()]

    def symbol(self, name: str) -> bytes | None:
        """Return one symbol."""
        found = (record for record in records.symbols() if record["Symbol"] == name)
        return next((compact(record) for record in found), None)

    def positions(self, logins: Iterable[int] | None = None) -> list[bytes]:
        """Return open positions, account by account."""
        with self.lock:
            realm = self._realm
            return [compact(records.position(realm, held))
                    for account in np.flatnonzero(self._mask(logins)).tolist()
                    for held in realm.positions.held(account)]  # fmt: skip

    def orders(self, logins: Iterable[int] | None = None) -> list[bytes]:
        """Return orders that wait for a price."""
        with self.lock:
            shown = {str(login_of(n)) for n in np.flatnonzero(self._mask(logins)).tolist()}
            return [compact(order) for order in self._realm.pending if order["Login"] in shown]

    def history(self, logins: Iterable[int] | None, from_s: int, to_s: int) -> list[bytes]:
        """Return closed orders by the time they were filled, server seconds, both inclusive."""
        found = self.deals(logins=logins, from_s=from_s, to_s=to_s)
        orders: dict[str, records.Record] = {}
        for data in found:
            if b'"Order":"0"' not in data:
                order = records.closed_order(data)
                orders.setdefault(order["Order"], order)
        return [compact(order) for order in orders.values()]

    # -- doing -----------------------------------------------------------------------------------

    def balance(self, login: int, type: int, amount: Decimal, comment: str = "",
                check_margin: bool = True) -> int:  # fmt: skip
        """Credit (or debit) an account for good; return the deal's ticket.

        Types 2 balance, 3 credit, 4 charge, 5 correction, 6 bonus. Raises Refused: 3 parameters,
        13 no such account, 4005 over 1,000,000,000, 10019 more than the account has free.
        """
        cents = balance.cents_of(type, amount)
        return int(self._now("operate", login=login, action=type, cents=cents,
                             comment=comment, check=check_margin))  # fmt: skip

    def edit_deal(self, ticket: int, **fields: str) -> None:
        """Change fields of a deal, by their JSON names."""
        self._now("edit_deal", ticket=ticket, fields=fields)

    def edit_user(self, login: int, **fields: str) -> None:
        """Change fields of a user: `Group`, `Agent`, `Status`, `Country` ..."""
        self._now("edit_user", login=login, fields=fields)

    def cancel_deal(self, ticket: int) -> int:
        """Cancel a trade (action 13 or 14, profit 0); return the balance deal that makes it up."""
        return int(self._now("cancel_deal", ticket=ticket))

    def delete_deal(self, ticket: int) -> None:
        """Delete a deal for good."""
        self._now("delete_deal", ticket=ticket)

    def archive_login(self, login: int) -> None:
        """Archive an account: it and its deals are gone from sight."""
        self._now("archive_login", login=login)

    def open_account(self) -> int:
        """Open one more account, with a deposit; return its login."""
        return int(self._now("open_account"))

    def open_trade(self, login: int) -> int:
        """Let an account open a position; return its deal."""
        return int(self._now("open_trade", login=login))

    def close_trade(self, login: int) -> int:
        """Let an account close its oldest position; return its deal."""
        return int(self._now("close_trade", login=login))

    def hide_group(self, mask: str) -> None:
        """Hide the groups that a mask names from the manager."""
        self._now("hide_group", mask=mask)

    def show_group(self, mask: str) -> None:
        """Show groups again."""
        self._now("show_group", mask=mask)

    def compact(self, login: int, before_s: int) -> int:
        """Replace an account's deals before a server time by one balance deal; its ticket."""
        return int(self._now("compact_history", login=login, before_s=before_s))

    def late_deal(self, login: int | None = None, seconds: int = 3_600) -> int:
        """Let a trade arrive that was closed `seconds` ago; return its closing deal."""
        return int(self._now("late_deal", login=login, seconds=seconds))

    def burst(self, rate: float, seconds: int) -> None:
        """Let `rate` positions a second be closed for some seconds from now on."""
        self._now("burst", rate_milli=round(rate * 1000), seconds=int(seconds))

    def write_loads(self, folder: Path, partner_codes: Sequence[str], *,
                    authority: str | None = "mt5_web") -> dict[str, Path]:  # fmt: skip
        """Write load files that introduce most accounts to these partners; paths by kind.

        In loading order. `authority`: whose trades of the server book; None leaves that out.
        """
        with self.lock:
            return write_loads(self._realm, self.clock(), folder, partner_codes, authority)

    def save(self) -> None:
        """Write the state into the folder, if there is one."""
        with self.lock:
            self._saved_ms = self._seen_ms
            if self._journal:
                state = self._realm.to_state() | {"seen_ms": self._seen_ms}
                self._journal.save(state, self._realm.deals.blocks)

    def close(self) -> None:
        """Save, and let go of the folder. Another call changes nothing."""
        with self.lock:
            if self._journal:
                self.save()
                self._journal.close()
                self._journal = None

    # -- inside ----------------------------------------------------------------------------------

    def _now(self, name: str, **given: Any) -> Any:
        """Do a call at this moment, after all that came before it, and write it down."""
        with self.lock:
            self.advance()
            return self._do(name, max(self.clock(), self._seen_ms), **given)

    def _do(self, name: str, utc_ms: int, **given: Any) -> Any:
        entry = {"events": self._realm.events, "utc_ms": utc_ms, "call": name, "given": given}
        try:
            result = self._call(name, utc_ms, given)
        except Refused:
            self._write(entry)  # it may have thrown dice
            raise
        self._write(entry)
        return result

    def _write(self, entry: dict[str, Any]) -> None:
        if self._journal:
            self._journal.write(entry)

    def _call(self, name: str, utc_ms: int, given: dict[str, Any]) -> Any:
        if name == "quiet":
            return self._quiet(utc_ms, **given)
        done = _CALLS[name](self._realm, utc_ms, **given)
        self._activity.pace.changed()
        return done

    def _quiet_rate(self) -> int:
        """Return the rate of times when nobody watched, in closes per 1,000 seconds."""
        return max(1, round(min(self.size.rate, self.size.history_rate) * 1000))

    def _quiet(self, from_ms: int, to_ms: int, rate_milli: int) -> None:
        """Let it be quiet for the time of a shutdown, so that a start stays quick."""
        self._realm.spans.append((from_ms * 1_000_000, to_ms * 1_000_000, rate_milli, True))
        self._activity.pace.changed()

    def _begin(self) -> None:
        start_ms = self._seen_ms - self.size.history_days * _DAY_MS
        self._realm = Realm(self.seed, self.size, start_ms)
        self._activity = Activity(self._realm)
        begin(self._realm)
        self._quiet(start_ms, self._seen_ms, self._quiet_rate())

    def _resume(self, folder: Path | None, state: dict, blocks: list, entries: list) -> None:
        logins = state["size"]["logins"]
        if (state["seed"], logins) != (self.seed, self.size.logins):
            raise BadInput(
                "other_sandbox",
                f"{folder} holds a server made with seed {state['seed']} and {logins}"
                " logins: use these, or name another folder",
            )
        self._realm = Realm(self.seed, Size(**state["size"]), state["start_ms"])
        self._realm.deals.restore(blocks)
        self._realm.restore(state)
        self._activity = Activity(self._realm)
        self._seen_ms = state["seen_ms"]
        for entry in entries:
            self._activity.until_event(entry["events"])
            if "call" in entry:
                with suppress(Refused):
                    self._call(entry["call"], entry["utc_ms"], entry["given"])
            self._seen_ms = max(self._seen_ms, entry["utc_ms"])
        self._realm.size = self.size
        self._activity = Activity(self._realm)

    def _of_login(self, login: int, record: Callable[[Realm, int], dict]) -> bytes | None:
        with self.lock:
            account = self._realm.accounts.seen(login)
            return None if account is None else compact(record(self._realm, account))

    def _mask(self, logins: Iterable[int] | None) -> npt.NDArray[np.bool_]:
        seen = self._realm.accounts.visible()
        if logins is None:
            return seen
        mask = np.zeros(len(seen), np.bool_)
        numbers = [n for login in logins if (n := self._realm.accounts.number(login)) is not None]
        mask[numbers] = True
        return mask & seen


_CALLS: dict[str, Callable[..., Any]] = {
    "operate": balance.operate, "edit_deal": calls.edit_deal, "edit_user": calls.edit_user,
    "cancel_deal": calls.cancel_deal, "delete_deal": calls.delete_deal,
    "archive_login": calls.archive_login, "open_account": calls.open_account,
    "hide_group": calls.hide_group, "show_group": calls.show_group,
    "compact_history": calls.compact_history, "late_deal": calls.late_deal,
    "burst": calls.burst, "open_trade": calls.open_trade, "close_trade": calls.close_trade,
}  # fmt: skip


def _check(size: Size) -> None:
    if size.logins < 5 or not 0 < size.rate <= 5_000:
        raise BadInput(
            "bad_sandbox_size",
            "a sandbox server has 5 logins or more and closes up to 5,000 positions a second",
        )
