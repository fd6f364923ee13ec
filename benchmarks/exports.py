"""The broker of world.py as files: MT4 Manager exports of its trades, and load files for the rest.

Written once per size and kept in a folder for temporary files; numbers are written from integers.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import world
from benchmarks.market_of_trades import GROUPS, SYMBOLS, VERSIONS
from benchmarks.world import CLOCK, DIGITS, SERVERS, SUFFIXES, World

GO_LIVE = "2025-11-01T00:00:00Z"
HEADER = (
    "Deal,Login,Open Time,Type,Symbol,Volume,Open Price,S/L,T/P,Close Time,Close Price,Reason,"
    "Gateway Order,Gateway Volume,Open Price Delta,Close Price Delta,Agent,Commission,Taxes,Swap,"
    "Profit,Points,Comment,,\r\n"
)
KINDS = ("entities", "servers", "groups", "symbols", "partners", "clients", "accounts")


@dataclass(frozen=True)
class Files:
    """Paths: load files by kind (in KINDS' order), plan files, terms, and an export per server."""

    folder: Path

    @property
    def loads(self) -> dict[str, Path]:
        """Return what is loaded before the plans."""
        return {kind: self.folder / f"{kind}.csv" for kind in KINDS}

    @property
    def go_live(self) -> Path:
        """Return the servers' file once more, now with their go-live."""
        return self.folder / "servers_live.csv"

    @property
    def plans(self) -> list[Path]:
        """Return the programmes' versions, in the order in which they are applied."""
        return sorted(self.folder.glob("programme*.toml"))

    @property
    def terms(self) -> Path:
        """Return who takes part in which programme."""
        return self.folder / "terms.csv"

    def trades(self, server: str) -> Path:
        """Return a server's export."""
        return self.folder / f"{server}.csv"


def write_files(broker: World, base: Path) -> Files:
    """Return the broker's files under `base`, written now unless they are there already."""
    recipe = "".join(Path(str(m)).read_text() for m in (world.__file__, __file__))
    key = hashlib.sha256(f"{astuple(broker.size)} {recipe}".encode()).hexdigest()[:12]
    folder = base / f"broker-{broker.size.trades}-{key}"
    if not folder.exists():
        new = folder.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        _write_loads(broker, new)
        _write_plans(broker, new)
        for number, server in enumerate(SERVERS):
            _write_trades(broker, number, new / f"{server}.csv")
        new.rename(folder)
    return Files(folder)


def _write_loads(broker: World, folder: Path) -> None:
    size, market = broker.size, broker.market
    of_server = [SERVERS[place % len(SERVERS)] for place in range(size.logins)]
    parent = [code(chain[1]) if len(chain) > 1 else "" for chain in market.chains]
    servers = {"server": SERVERS, "platform": ["mt4"] * 4, "clock": [CLOCK] * 4,
               "suffixes": [suffix or "-" for suffix in SUFFIXES]}  # fmt: skip
    clients = [f"C{place}" for place in range(size.logins)]
    tables = {
        "entities": {"entity": ["main"], "currency": ["USD"], "clock": [CLOCK]},
        "servers": servers,
        "servers_live": {**servers, "go_live": [GO_LIVE] * 4},
        "groups": {
            "server": [server for server in SERVERS for _ in range(GROUPS)],
            "group": [group(number) for number in range(GROUPS)] * len(SERVERS),
            "lot_factor": [hundredths(int(f)) for f in market.factor_percent] * len(SERVERS),
        },
        "symbols": {"symbol": broker.symbols, "symbol_group": ["forex"] * SYMBOLS,
                    "digits": [DIGITS] * SYMBOLS},
        "partners": {"partner": [code(p) for p in range(size.partners)], "parent": parent},
        "clients": {"client": clients, "partner": [code(int(p)) for p in broker.login_partner]},
        "accounts": {"server": of_server, "login": broker.login, "client": clients,
                     "group": [group(int(number)) for number in broker.login_group]},
        "terms": {
            "partner": [code(p) for p in range(size.partners)],
            "programme": [f"programme{card // size.cards}" for card in market.card.tolist()],
            "card": [f"card{card}" for card in market.card.tolist()],
        },
    }  # fmt: skip
    for name, columns in tables.items():
        pl.DataFrame(columns).write_csv(folder / f"{name}.csv")


def code(partner: int) -> str:
    """Return a partner's code."""
    return f"P{partner:05d}"


def group(number: int) -> str:
    """Return an account group's name."""
    return f"real\\g{number}"


def hundredths(value: int) -> str:
    """Write a number of hundredths as a decimal."""
    return f"{value // 100}.{value % 100:02d}"


def _write_plans(broker: World, folder: Path) -> None:
    """Write each programme in its versions; the second begins in the middle of the month."""
    for programme in range(broker.size.programmes):
        for version in range(VERSIONS):
            path = folder / f"programme{programme}v{version + 1}.toml"
            path.write_text(plan_text(broker, programme, version), encoding="utf-8")


def plan_text(broker: World, programme: int, version: int) -> str:
    """Return a version of a programme as a plan file."""
    since = datetime.fromtimestamp(broker.market.new_version_ms // 1000, UTC)
    text = [f'[programme]\ncode = "programme{programme}"\ncurrency = "USD"\nlevels = 10\n']
    if version:
        text.append(f"valid_from = {since:%Y-%m-%dT%H:%M:%SZ}\n")
    text.append('\n[[component]]\ncode = "lots"\nbasis = "lot"\nmode = "per_level"\n')
    return "".join([*text, *_rates(broker, version, programme)])


def _rates(broker: World, version: int, programme: int) -> list[str]:
    first = programme * broker.size.cards
    rates = broker.market.rate_micro[version, first : first + broker.size.cards]
    return [
        f'\n[[component.rate]]\ncard = "card{first + card}"\nsymbol = "{broker.symbols[symbol]}"\n'
        f"account_group = '{group(number)}'\namount = \"{rate // 10**6}.{rate % 10**6:06d}\"\n"
        for (card, symbol, number), rate in np.ndenumerate(rates)
    ]


def _write_trades(broker: World, server: int, path: Path) -> None:
    with path.open("wb") as file:
        file.write(HEADER.encode())
        for frame in broker.trades(server):
            rows = frame.select(**_cells())
            rows.write_csv(file, include_header=False, line_terminator="\r\n")


def _cells() -> dict[str, pl.Expr]:
    """Return the 25 columns of an export, the last two without a name."""
    none = pl.lit(None, pl.String)  # written as nothing at all, without quotes
    points = 10 ** (8 - DIGITS)
    moved = (pl.col("close_price_e8") - pl.col("open_price_e8")).abs() // points
    return {
        "deal": pl.col("ticket"),
        "login": pl.col("login"),
        "open_time": _time("open_ms"),
        "type": pl.when(pl.col("side") > 0).then(pl.lit("buy")).otherwise(pl.lit("sell")),
        "symbol": pl.col("symbol"),
        "volume": _decimal("lots_e8", 2),
        "open_price": _decimal("open_price_e8", DIGITS),
        "sl": _decimal("fee_e8", DIGITS),
        "tp": _decimal("fee_e8", DIGITS),
        "close_time": _time("close_ms"),
        "close_price": _decimal("close_price_e8", DIGITS),
        "reason": pl.lit("Client"),
        **{f"gateway{number}": none for number in range(4)},
        "agent": pl.lit("0"),
        "commission": _decimal("commission_e8", 2),
        "taxes": _decimal("fee_e8", 2),
        "swap": _decimal("swap_e8", 2),
        "profit": _decimal("profit_e8", 2),
        "points": moved,
        "comment": none,
        "unnamed": none,
        "currency": pl.lit("USD"),
    }


def _time(name: str) -> pl.Expr:
    return pl.from_epoch(pl.col(name), time_unit="ms").dt.to_string("%Y.%m.%d %H:%M:%S")


def _decimal(name: str, digits: int) -> pl.Expr:
    """Write e8 integers with so many decimals, without a float on the way."""
    units = pl.col(name) // 10 ** (8 - digits)
    sign = pl.when(units < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    whole, part = units.abs() // 10**digits, units.abs() % 10**digits
    return pl.concat_str(
        sign, whole.cast(pl.String), pl.lit("."), part.cast(pl.String).str.zfill(digits)
    )
