"""Which columns the files of `pipshare rate` may have: those of `load`, fewer of them required.

A small case is to be written in a minute, so that nearly everything has a default, and common
other spellings of a column's name are taken. docs/reference/rate.md is this in prose.
"""

from __future__ import annotations

from dataclasses import replace

from pipshare.facts.fields import FIELDS, Field

MAIN = "main"  # entity and server of whoever names none
# Tables that a tree file may hold; --symbols, --quotes and --fx bring the last three on their own.
TREE_TABLES = (
    "entities", "servers", "partners", "clients", "accounts", "relations", "groups", "terms",
    "symbols", "markups", "spreads", "quotes", "fx", "history",
)  # fmt: skip
_SIDES = "choice:buy|sell|long|short"
_BEFORE = "choice:earned|carried|measure|unpaid|paid"
_KINDS = "choice:whole|partial|close_by|reversal"


def _f(name: str, type_: str, about: str, default: str | None = None) -> Field:
    return Field(name, type_, False, about, default)


# Columns that `rate` reads beside those of `load`, or reads more generously.
_OWN: dict[str, tuple[Field, ...]] = {
    "trades": (
        _f("ticket", "text", "number or name of the trade; empty = its place in the file"),
        _f("server", "text", "trade server; empty = the tree's only one"),
        _f("login", "int", "account; empty = the client's only one"),
        _f("client", "text", "owner of an account that the tree does not name"),
        _f("side", _SIDES, "direction of the opened position", "buy"),
        _f("open_time", "text", "server clock, or with a zone; empty = unknown"),
        Field("close_time", "text", True, "server clock, or with a zone"),
        _f("close_price", "e8", "closing price; empty = unknown", "0"),
        _f("reason", "text", "MT5 deal reason, name or number; empty = not told"),
        _f("kind", _KINDS, "how it was closed", "whole"),
        _f("cancelled", "flag", "the trade was cancelled: it pays 0", "no"),
        _f("negative", "flag", "the order drove the account below zero", "no"),
        _f("open_bid", "e8", "bid when it was opened", "0"),
        _f("open_ask", "e8", "ask when it was opened", "0"),
        _f("close_bid", "e8", "bid when it was closed", "0"),
        _f("close_ask", "e8", "ask when it was closed", "0"),
    ),
    "partners": (
        _f("programme", "text", "short for a row of terms: the programme he takes part in"),
        _f("card", "text", "short for a row of terms: his rate card"),
    ),
    # What was before the first trade of the files; `load` has no such table.
    "history": (
        Field("partner", "text", True, "the partner"),
        _f("entity", "text", "code of the entity", "main"),
        _f("kind", _BEFORE, "what `amount` is", "unpaid"),
        _f("component", "text", "earned, carried, measure: of this component"),
        _f("period", "text", "of the same: the month, for example 2026-01"),
        Field("amount", "e8", True, "the amount"),
        _f("currency", "currency", "empty = the partner's wallet"),
    ),
    "quotes": (_f("time", "text", "server clock, or with a zone; empty = at all times"),),
    "fx": (_f("time", "moment", "holds from this moment on; empty = always"),),
}  # fmt: skip
_NOT_NEEDED = {
    "accounts": ("server",),
    "groups": ("server",),
    "servers": ("platform",),
    "quotes": ("server", "time"),
    "terms": ("programme",),
    "relations": ("kind",),
    "events": ("event",),
    "fx": ("rate",),
}
ALIASES: dict[str, dict[str, str]] = {
    "trades": {
        "trade": "ticket", "id": "ticket", "deal": "ticket", "order": "ticket",
        "account": "login", "volume": "lots", "size": "lots", "lot": "lots",
        "type": "side", "direction": "side", "instrument": "symbol", "item": "symbol",
        "opened": "open_time", "open_at": "open_time", "closed": "close_time",
        "close_at": "close_time", "time": "close_time", "opened_at": "open_time",
        "closed_at": "close_time", "price": "close_price", "price_open": "open_price",
        "price_close": "close_price", "bid_open": "open_bid", "ask_open": "open_ask",
        "bid_close": "close_bid", "ask_close": "close_ask", "bid": "close_bid",
        "ask": "close_ask", "commissions": "commission", "taxes": "fee", "storage": "swap",
        "pnl": "profit", "result": "profit", "contract": "contract_size",
        "position_id": "position",
    },
    "partners": {"code": "partner", "upline": "parent", "wallet": "currency", "plan": "programme"},
    "clients": {"code": "client", "introducer": "partner", "ib": "partner"},
    "accounts": {"account": "login", "account_group": "group"},
    "groups": {"account_group": "group", "mask": "group", "account_type": "type"},
    "terms": {"plan": "programme", "program": "programme", "rate_card": "card"},
    "symbols": {"name": "symbol", "group": "symbol_group", "contract": "contract_size",
                "profit_currency": "currency", "pip": "pip_points", "mode": "calc"},
    "quotes": {"at": "time"},
    "fx": {"from": "base", "to": "quote", "at": "time"},
    "relations": {},
    "history": {},
    "markups": {"account_group": "group"},
    "spreads": {"account_group": "group"},
    "servers": {"name": "server"},
    "entities": {"code": "entity"},
    "events": {"id": "event", "type": "kind", "time": "at", "account": "login"},
}  # fmt: skip


def fields_of(kind: str) -> tuple[Field, ...]:
    """Return the columns of one table as `rate` reads it."""
    own = {field.name: field for field in _OWN.get(kind, ())}
    free = _NOT_NEEDED.get(kind, ())
    known = [
        replace(own.pop(field.name, field), required=False)
        if field.name in free else own.pop(field.name, field)
        for field in FIELDS.get(kind, ())
    ]  # fmt: skip
    return (*known, *own.values())
