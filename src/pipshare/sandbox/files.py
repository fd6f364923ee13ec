"""Write the demonstration broker as files: what a broker would load, and two trade exports."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

from pipshare.sandbox.broker import Broker
from pipshare.sandbox.cast import (
    GROUPS,
    INSTRUMENTS,
    MIN_HOLD_SECONDS,
    MT4,
    MT5,
    PARTNERS,
    RATES,
    SUFFIX,
    Rule,
)
from pipshare.sandbox.exports import write_mt4, write_mt5

CLOCK = "America/New_York+7h"


def write_demo(folder: Path, broker: Broker) -> dict[str, Path]:
    """Write all files into `folder`; return their paths by what they are, in loading order."""
    folder.mkdir(parents=True, exist_ok=True)
    start = f"{broker.go_live.isoformat()}T00:00:00+03:00"  # server midnight, summer time there
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = {
        "entities": (("entity", "name", "currency", "clock"),
                     [("main", "Demonstration broker", "USD", CLOCK)]),
        "servers": (("server", "platform", "clock", "go_live", "suffixes"),
                    [(MT4, "mt4", CLOCK, start, SUFFIX[MT4]), (MT5, "mt5", CLOCK, start, "")]),
        "groups": (("server", "group", "type", "lot_factor", "treatment", "currency"),
                   [(g.server, g.name, g.type, _rate(g.lot_factor), g.treatment, g.currency)
                    for g in GROUPS]),
        "symbols": (("symbol", "symbol_group", "digits", "contract_size", "currency"),
                    [(i.symbol, i.group, i.digits, i.contract, i.profit_currency)
                     for i in INSTRUMENTS]),
        "fx": (("base", "quote", "time", "rate", "source"), _fx(broker)),
        "partners": (("partner", "name", "parent", "currency"),
                     [(p.code, p.name, p.parent or "", p.currency) for p in PARTNERS]),
        "clients": (("client", "country", "partner"),
                    [(c.code, c.country, c.partner or "direct") for c in broker.clients]),
        "accounts": (("server", "login", "client", "group", "currency"),
                     [(a.server, a.login, a.client, a.group.name, a.group.currency)
                      for a in broker.accounts if a.known]),
    }  # fmt: skip
    paths = {}
    for kind, (header, rows) in tables.items():
        paths[kind] = _table(folder / f"{kind}.csv", header, rows)
    for code in RATES:
        paths[f"programme {code}"] = folder / f"{code}.toml"
        paths[f"programme {code}"].write_text(_programme(code), encoding="utf-8")
    paths["terms"] = _table(
        folder / "terms.csv",
        ("partner", "programme", "card"),
        [(p.code, p.programme, p.card) for p in PARTNERS if p.card],
    )
    paths["mt4"] = folder / "mt4_manager_deals.csv"
    paths["mt5"] = folder / "mt5_deals.csv"
    write_mt4(paths["mt4"], [t for t in broker.trades if t.account.server == MT4])
    write_mt5(paths["mt5"], [t for t in broker.trades if t.account.server == MT5])
    return paths


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(header)
        out.writerows(rows)
    return path


def _fx(broker: Broker) -> list[tuple[str, str, str, str, str]]:
    rows = []
    for day, rates in sorted(broker.rates.items()):
        at = f"{day.isoformat()}T00:00:00Z"
        rows.append(("EUR", "USD", at, rates["EURUSD"], "demo close"))
        rows.append(("USD", "JPY", at, rates["USDJPY"], "demo close"))
    return rows


def _rate(rate: Fraction) -> str:
    """Write a rate as people do: a decimal where it ends, a fraction where it does not."""
    thousandths = rate * 1000
    if thousandths.denominator != 1:
        return str(rate)
    whole, part = divmod(thousandths.numerator, 1000)
    return f"{whole}.{part:03d}".rstrip("0").rstrip(".")


def _programme(code: str) -> str:
    title = code.replace("-", " ").capitalize().replace("Ecn", "ECN")
    parts = [
        f'# {title}: written by the demonstration.\n[programme]\ncode = "{code}"\n'
        f'name = "{title}"\ncurrency = "USD"\nlevels = 10\n'
    ]
    for component, rules in RATES[code].items():
        mode = "override" if component == "override" else "per_level"
        parts.append(f'\n[[component]]\ncode = "{component}"\nbasis = "lot"\nmode = "{mode}"\n')
        if MIN_HOLD_SECONDS[code]:
            parts.append(f"min_hold_seconds = {MIN_HOLD_SECONDS[code]}\n")
        parts.extend(_rule(rule) for rule in rules)
    return "".join(parts)


def _rule(rule: Rule) -> str:
    card, level, scope, amount = rule
    lines = ["\n[[component.rate]]"]
    if card != "*":
        lines.append(f'card = "{card}"')
    lines.append(f"level = {level}")
    if scope:
        key = {"type": "account_type", "group": "symbol_group"}[scope[0]]
        lines.append(f'{key} = "{scope[1]}"')
    lines.append(f'amount = "{_rate(amount)}"')
    return "\n".join(lines) + "\n"
