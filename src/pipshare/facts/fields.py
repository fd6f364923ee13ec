"""The one table of field names: load files, generic CSV and XML, and later the API and `rate`.

docs/reference/files.md is this table in prose; a test holds the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One column of a file.

    `type` is one of text, int, e8 (plain decimal), rate (decimal or fraction), server_time
    (server wall clock), moment (ISO 8601 with zone; a date alone = start of the broker's day),
    currency, flag (yes/no), or `choice:a|b|c`. An optional field left empty takes `default`
    (None = not given). Where `keeps` is set, it takes the default only for something new: what
    is already known stays as it is, so that a file may tell one thing without the others.
    """

    name: str
    type: str
    required: bool
    about: str
    default: str | None = None
    keeps: bool = False


def _keep(name: str, type_: str, about: str, default: str) -> Field:
    return Field(name, type_, False, about, default, True)


def _f(name: str, type_: str, about: str, default: str | None = None) -> Field:
    return Field(name, type_, False, about, default)


def _need(name: str, type_: str, about: str) -> Field:
    return Field(name, type_, True, about)


_ENTITY = _f("entity", "text", "code of the entity", "main")
_FROM = _f("valid_from", "moment", "holds from this moment on; empty = always", None)
_TO = _f("valid_to", "moment", "holds until (excluded); empty = until further notice", None)
_SERVER = _need("server", "text", "name of the trade server")
_LOGIN = _need("login", "int", "trading account number on that server")
_TIMES = (
    _f("open_time", "server_time", "opening time, server clock; empty = unknown"),
    _need("close_time", "server_time", "closing time, server clock"),
)

# Where points hold: of several rows that fit, the one for the symbol goes before one for its group.
_PLACE = (
    _f("server", "text", "only on this server; empty = on all", ""),
    _f("symbol", "text", "canonical name; empty = see `symbol_group`", ""),
    _f("symbol_group", "text", "group of symbols; both empty = all symbols", ""),
    _f("group", "text", "account group or mask with *", "*"),
)

FIELDS: dict[str, tuple[Field, ...]] = {
    "trades": (
        _need("ticket", "int", "MT4 ticket or MT5 closing deal, unique per server"),
        _LOGIN,
        _f("position", "int", "MT5 position id", "0"),
        _need("symbol", "text", "as the platform writes it"),
        _need("side", "choice:buy|sell", "direction of the opened position"),
        _need("lots", "e8", "lots closed, more than zero"),
        *_TIMES,
        _f("open_price", "e8", "opening price; empty = unknown"),
        _need("close_price", "e8", "closing price"),
        _f("commission", "e8", "client's sign: a charge is negative", "0"),
        _f("fee", "e8", "fees and taxes, client's sign", "0"),
        _f("swap", "e8", "client's sign", "0"),
        _f("profit", "e8", "client's sign, account currency", "0"),
        _f("reason", "int", "MT5 deal reason number; empty = not told", "-1"),
        _f("kind", "choice:whole|partial|close_by|reversal", "how it was closed", "whole"),
        _f("rate_profit", "e8", "profit currency to account currency at the close", "0"),
        _f("contract_size", "e8", "contract size at the deal", "0"),
        _f("open_bid", "e8", "market bid at the opening; 0 = not known, as below", "0"),
        _f("open_ask", "e8", "market ask at the opening", "0"),
        _f("close_bid", "e8", "market bid at the closing", "0"),
        _f("close_ask", "e8", "market ask at the closing", "0"),
        _f("gateway_open_price", "e8", "raw price of the liquidity provider", "0"),
        _f("gateway_close_price", "e8", "raw price of the liquidity provider", "0"),
    ),
    "deals": (
        _need("deal", "int", "deal ticket, unique per server"),
        _LOGIN,
        _f("order", "int", "order ticket", "0"),
        _need("position", "int", "position id"),
        _need("action", "int", "EnDealAction: 0 buy, 1 sell, 2 balance ..."),
        _need("entry", "int", "EnDealEntry: 0 in, 1 out, 2 inout, 3 out by"),
        _f("reason", "int", "EnDealReason; empty = not told", "-1"),
        _need("time", "server_time", "execution time, server clock"),
        _f("symbol", "text", "empty on balance operations", ""),
        _f("volume", "e8", "lots", "0"),
        _f("volume_closed", "e8", "lots of it that closed a position", "0"),
        _f("price", "e8", "execution price", "0"),
        _f("position_price", "e8", "opening price of what was closed", "0"),
        _f("gateway_price", "e8", "raw price of the liquidity provider", "0"),
        _f("profit", "e8", "client's sign", "0"),
        _f("swap", "e8", "client's sign", "0"),
        _f("commission", "e8", "client's sign", "0"),
        _f("fee", "e8", "client's sign", "0"),
        _f("rate_profit", "e8", "profit currency to account currency", "0"),
        _f("contract_size", "e8", "contract size at the deal", "0"),
        _f("bid", "e8", "market bid at the execution", "0"),
        _f("ask", "e8", "market ask at the execution", "0"),
    ),
    "events": (
        _need("event", "text", "the event's id at its source, unique there"),
        _need("kind", "text", "what happened, see below"),
        _need("at", "moment", "when it happened"),
        _f("client", "text", "the client's code; empty = the owner of `server` and `login`", ""),
        _ENTITY,
        _f("source", "text", "who says so; with `event` the identity", "file"),
        _f("amount", "e8", "more than zero, whichever way the money went"),
        _f("currency", "currency", "of the amounts"),
        _f("reference", "text", "id of the event that this one takes back or disputes", ""),
        _f("server", "text", "trade server of the account", ""),
        _f("login", "int", "trading account", "0"),
        _f("country", "text", "ISO 3166 two-letter code: of residence, or of the document", ""),
        _f("balance", "e8", "account snapshot: balance"),
        _f("credit", "e8", "account snapshot: credit, bonus included"),
        _f("equity", "e8", "account snapshot: equity"),
        _f("cleared_at", "moment", "deposit: when the money was there; empty = at once"),
        _f("method", "text", "deposit, withdrawal: how it was paid", ""),
        _f("document", "text", "KYC: type of document", ""),
        _f("status", "text", "KYC told as kyc.changed: approved, rejected ...", ""),
        _f("expires_at", "moment", "KYC: the approval holds until then; empty = no end"),
        _f("version", "int", "schema or revision: of two contents the higher holds", "1"),
        _f("other_client", "text", "code of the client who he is the same person as", ""),
        _f("partner", "text", "re-assignment: the new partner's code; `direct` = nobody", ""),
        _f("reason", "text", "why, in words that name no person", ""),
        _f("effective_at", "moment", "re-assignment: holds from then on; empty = `at`"),
    ),
    "entities": (
        _need("entity", "text", "code, for example main"),
        _f("name", "text", "legal name or brand"),
        _keep("currency", "currency", "base currency", "USD"),
        _keep("clock", "text", "the broker's own day, for example America/New_York+7h", "UTC"),
    ),
    "servers": (
        _need("server", "text", "name, as used with --server"),
        _keep("entity", "text", "code of the entity", "main"),
        _need("platform", "choice:mt4|mt5", "MetaTrader version"),
        _keep("clock", "text", "UTC, +02:00, Europe/Nicosia or America/New_York+7h", "UTC"),
        _f("clock_from", "moment", "this clock holds from; empty = always"),
        _f("go_live", "moment", "trades closed before are history and book nothing"),
        _keep("authority", "text", "whose trades book: files, mt5_web or api", "files"),
        _keep(
            "suffixes",
            "text",
            "symbol endings without meaning, by spaces; - = none",
            "",
        ),
    ),
    "partners": (
        _need("partner", "text", "the partner's code"),
        _ENTITY,
        _keep("name", "text", "name", ""),
        _f("parent", "text", "code of the partner above; `root` = nobody, as is empty when new"),
        _keep("currency", "currency", "wallet currency, for good", "USD"),
        _keep("status", "choice:active|suspended|terminated", "status", "active"),
        _f("own_client", "text", "code of the client who is this partner himself"),
        _f("go_live", "moment", "trades closed before book nothing for this partner"),
        _FROM,
    ),
    "clients": (
        _need("client", "text", "the client's code in the CRM"),
        _ENTITY,
        _keep("country", "text", "ISO 3166 two-letter code", ""),
        _f("partner", "text", "introducing partner; `direct` = nobody; empty = not told"),
        _FROM,
    ),
    "accounts": (
        _SERVER,
        _LOGIN,
        _need("client", "text", "code of the client who owns the account"),
        _keep("group", "text", "account group on the server", ""),
        _keep("currency", "currency", "account currency; USC for cents", "USD"),
        _keep(
            "status", "choice:active|disabled|excluded|direct", "how the account counts", "active"
        ),
        _FROM,
    ),
    "relations": (
        _need("kind", "choice:client|partner", "whose place is told"),
        _need("code", "text", "the client or partner"),
        _need("partner", "text", "the partner above; `direct` (client) or `root` (partner)"),
        _ENTITY,
        _FROM,
        _TO,
    ),
    "groups": (
        _SERVER,
        _need("group", "text", "account group or mask with *"),
        _keep("type", "text", "account type used by rate cards, for example ecn", ""),
        _keep("lot_factor", "rate", "what one lot of this group counts, for example 0.01", "1"),
        _keep("treatment", "choice:normal|excluded|direct", "excluded: demo, house", "normal"),
        _keep("currency", "currency", "currency of the group's accounts", ""),
        _keep("book", "choice:made|passed", "made: the broker takes the other side", ""),
        _FROM,
    ),
    "symbols": (
        _need("symbol", "text", "canonical name, for example EURUSD"),
        _f("server", "text", "only on this server; empty = on all", ""),
        _keep("alias", "text", "names on the platform, separated by spaces; - = none", ""),
        _keep("symbol_group", "text", "group used by rate cards, for example forex", ""),
        _keep("digits", "int", "price decimals", "5"),
        _keep("contract_size", "e8", "units in one lot", "100000"),
        _keep("currency", "currency", "profit currency", "USD"),
        _keep("pip_points", "int", "points in one pip; 0 = as usual for forex", "0"),
        _keep("calc", "choice:forex|cfd|futures", "how the platform works out profit", ""),
        _keep("tick_size", "e8", "futures: smallest step of the price", "0"),
        _keep("tick_value", "e8", "futures: what that step is worth per lot", "0"),
    ),
    "markups": (
        *_PLACE,
        _need("points", "e8", "the broker's markup, in points"),
        _FROM,
    ),
    "spreads": (
        *_PLACE,
        _need("points", "e8", "the typical spread, in points"),
        _FROM,
    ),
    "quotes": (
        _SERVER,
        _need("symbol", "text", "canonical name"),
        _need("time", "server_time", "server clock"),
        _need("bid", "e8", "bid"),
        _need("ask", "e8", "ask"),
    ),
    "fx": (
        _need("base", "currency", "one unit of this"),
        _need("quote", "currency", "costs `rate` of this"),
        _need("time", "moment", "holds from this moment on"),
        _f("rate", "rate", "exact, more than zero; empty = the middle of bid and ask"),
        _f("source", "text", "who said so", "file"),
        _f("bid", "rate", "what the bank pays for one unit of base"),
        _f("ask", "rate", "what the bank asks for it"),
    ),
    "terms": (
        _need("partner", "text", "the partner"),
        _need("programme", "text", "the programme he takes part in; `none` = earns nothing"),
        _ENTITY,
        _f("card", "text", "his rate card in the programme", "standard"),
        _FROM,
        _TO,
    ),
}
