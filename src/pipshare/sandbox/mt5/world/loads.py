"""Write load files that introduce the world's accounts to partners, as a broker's CRM would.

One account in twenty-five is left out, and so is everyone who opens an account later: they trade,
and nobody has told whose clients they are.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from pipshare.sandbox.broker import FIRST_DAY, LAST_DAY
from pipshare.sandbox.mt5.world.accounts import login_of
from pipshare.sandbox.mt5.world.masks import fits
from pipshare.sandbox.mt5.world.price_list import GROUPS, INSTRUMENTS, SYMBOLS
from pipshare.sandbox.mt5.world.realm import Realm
from pipshare.sandbox.mt5.world.size import SERVER
from pipshare.sandbox.mt5.world.wall import DAY_MS, offset_ms

CLOCK = "America/New_York+7h"
_UNKNOWN_EVERY, _DIRECT_EVERY, _SECOND_EVERY = 25, 12, 10
_BEFORE, _AHEAD = timedelta(days=8), timedelta(days=45)

Table = tuple[Sequence[str], Iterable[Sequence[object]]]


def write_loads(
    realm: Realm, now_ms: int, folder: Path, partners: Sequence[str], authority: str | None
) -> dict[str, Path]:
    """Write the files; return their paths by kind, in loading order."""
    folder.mkdir(parents=True, exist_ok=True)
    known = [
        account for account in range(realm.size.logins)
        if account % _UNKNOWN_EVERY != _UNKNOWN_EVERY - 1 and realm.accounts.visible()[account]
    ]  # fmt: skip
    tables: dict[str, Table] = {
        "servers": _servers(realm, authority),
        "groups": _groups(realm),
        "symbols": _symbols(),
        "fx": (("base", "quote", "time", "rate", "source"), _fx(realm, now_ms)),
        "clients": (("client", "country", "partner"), _clients(realm, known, partners)),
        "accounts": (
            ("server", "login", "client", "group", "currency"),
            [(SERVER, login_of(n), _client(n), realm.accounts.group_of(n).name,
              realm.accounts.group_of(n).currency) for n in known],
        ),
    }  # fmt: skip
    return {kind: _table(folder / f"{kind}.csv", *table) for kind, table in tables.items()}


def _servers(realm: Realm, authority: str | None) -> Table:
    """Everything since the midnight before the first start counts."""
    wall_ms = realm.start_ms + offset_ms(realm.start_ms)
    live = datetime.fromtimestamp((realm.start_ms - wall_ms % DAY_MS) // 1000, UTC)
    header = ["server", "platform", "clock", "go_live"]
    row = [SERVER, "mt5", CLOCK, live.strftime("%Y-%m-%dT%H:%M:%SZ")]
    if authority is not None:
        header, row = [*header, "authority"], [*row, authority]
    return header, [row]


def _groups(realm: Realm) -> Table:
    rows = [
        (SERVER, group.name, group.type, "0.01" if group.currency == "USC" else "1",
         "excluded" if group.type in ("demo", "house") else "normal", group.currency)
        for group in GROUPS
        if not any(fits(group.name, mask) for mask in realm.accounts.masks)
    ]  # fmt: skip
    return ("server", "group", "type", "lot_factor", "treatment", "currency"), rows


def _symbols() -> Table:
    """Symbols with what groups call them; those that count cents are symbols of their own."""
    rows = []
    for spec in INSTRUMENTS:
        listed = [one for one in SYMBOLS if one.spec is spec]
        alias = " ".join(q.name for q in listed if q.suffix and q.profit == spec.profit)
        cents = [(q.name, "", q.profit) for q in listed if q.profit != spec.profit]
        rows += [
            (name, SERVER, others, spec.kind.lower(), spec.digits, spec.contract, currency)
            for name, others, currency in [(spec.name, alias, spec.profit), *cents]
        ]
    header = ("symbol", "server", "alias", "symbol_group", "digits", "contract_size", "currency")
    return header, rows


def _fx(realm: Realm, now_ms: int) -> list[tuple[str, str, str, str, str]]:
    """Rates for every day until weeks from now, but for days of which the file demo has its own."""
    random, rows = Random(f"{realm.seed}:fx"), []
    eur, yen, pound = 108_500, 151_250, 127_300
    day, last = _day(realm.start_ms) - _BEFORE, _day(now_ms) + _AHEAD
    while day <= last:
        eur, yen = eur + random.randint(-300, 300), yen + random.randint(-400, 400)
        pound += random.randint(-300, 300)
        if not FIRST_DAY - timedelta(days=2) <= day <= LAST_DAY:
            at = f"{day.isoformat()}T00:00:00Z"
            rows.append(("EUR", "USD", at, _points(eur, 5), "sandbox"))
            rows.append(("USD", "JPY", at, _points(yen, 3), "sandbox"))
            rows.append(("GBP", "USD", at, _points(pound, 5), "sandbox"))
        day += timedelta(days=1)
    return rows


def _clients(realm: Realm, known: list[int], partners: Sequence[str]) -> list[tuple[str, str, str]]:
    rows = {}
    for number in known:
        code = _client(number)
        if code not in rows:
            random = Random(f"{realm.seed}:{code}")
            direct = not partners or random.randrange(_DIRECT_EVERY) == 0
            partner = "direct" if direct else random.choice(partners)
            rows[code] = (code, realm.accounts.person(number)["Country"], partner)
    return list(rows.values())


def _client(number: int) -> str:
    """Return the code of an account's client; some clients have two accounts."""
    second = number % _SECOND_EVERY == _SECOND_EVERY - 1
    return f"L-{100_000 + number - second}"


def _day(utc_ms: int) -> date:
    return datetime.fromtimestamp(utc_ms // 1000, UTC).date()


def _points(value: int, digits: int) -> str:
    whole, part = divmod(value, 10**digits)
    return f"{whole}.{part:0{digits}d}"


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)
    return path
