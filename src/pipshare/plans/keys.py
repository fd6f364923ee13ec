"""Every key of a plan file: one table each, for reading, for editors and for words.

A key says what kind of value it takes, which field of the parsed value it fills, and in a few
words what it means. `pipshare.plans.read` reads by it, `pipshare.plans.schema` turns it into a
JSON Schema, docs/reference/plans.md is the same in prose (tests hold the three together).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipshare.plans.conditions import REASONS

Kind = Literal[
    "text", "code", "card", "mask", "country", "currency", "choice", "flag", "whole", "number",
    "share", "moment", "choices", "codes", "texts", "countries", "wholes", "hours", "weekdays",
    "table", "tables",
]  # fmt: skip

MAX_LEVELS = 50
MAX_AMOUNT = 1_000_000
MAX_TOTAL = 10**12  # thresholds, caps and minimums: sums, not rates
MAX_HOLD_S = 10 * 366 * 86_400
MAX_DAYS = 3_660
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BASES = (
    "lot", "points", "spread", "markup", "commission", "profit", "loss", "result", "notional",
    "revenue", "deposits", "fixed", "earned",
)  # fmt: skip
MODES = (
    "per_level", "override", "percent_of_child", "pot_split", "share_up", "difference", "rank",
)  # fmt: skip


@dataclass(frozen=True, eq=False)  # compared by identity: tables of keys are looked up often
class Key:
    """One key: its kind of value, the field that it fills (its own name if ""), its words.

    `words` are allowed for choices, `low` to `high` for whole numbers, up to `high` for numbers.
    `left_out` says what holds without the key; "required" where there is no such thing.
    """

    name: str
    kind: Kind
    says: str
    left_out: str = ""
    field: str = ""
    words: tuple[str, ...] = ()
    low: int = 0
    high: int = 1

    @property
    def fills(self) -> str:
        """The field of the parsed value."""
        return self.field or self.name


def _choice(name: str, words: tuple[str, ...], says: str, left_out: str = "") -> Key:
    return Key(name, "choice", says, left_out or words[0], words=words)


def _whole(name: str, low: int, high: int, says: str, left_out: str = "no limit") -> Key:
    return Key(name, "whole", says, left_out, low=low, high=high)


def _total(name: str, says: str, left_out: str = "no such condition") -> Key:
    return Key(name, "number", says, left_out, high=MAX_TOTAL)


def _amount(name: str, says: str, left_out: str = "") -> Key:
    return Key(name, "number", says, left_out, high=MAX_AMOUNT)


def _pay(name: str, says: str) -> Key:
    return _choice(name, ("pay", "none"), f"whether {says}")


def _table(name: str, says: str) -> Key:
    return Key(name, "table", says, "not")


_NAME = Key("name", "text", "for people, on statements", "the code")
_CODE = Key("code", "code", "letters, digits, - _ . (at most 64)", "required")
_OWN_CURRENCY = Key("currency", "currency", "of the amounts here", "the programme's")

PROGRAMME = (
    _CODE,
    _NAME,
    Key("entity", "code", "the legal entity it belongs to", "main"),
    Key("valid_from", "moment", "a date (start of the broker's own day) or a time with its zone, "
        "without quotes", "always", "valid_from_ms"),
    Key("currency", "currency", "of all amounts that name no other", "each names its own"),
    Key("levels", "whole", "1 to 50: partners paid, counted from the client upward",
        "the highest level named", "depth", low=1, high=MAX_LEVELS),
    _choice("unknown_opening", ("wait", "pay"), "a trade without a known opening waits for it, or "
            "is rated as it stands (a holding time counts as long enough)"),
    _pay("own_trading", "a partner earns on the account of the client who he is himself"),
    _choice("other_programmes", ("none", "pay"), "whether a partner above who is in another "
            "programme is paid here, by rates for any card"),
    _choice("moment", ("close", "open"), "when a trade's chain is looked up: who was the client's "
            "IB, and who above; terms and account group are always those at the close"),
    _choice("qualified_pays", ("from_then", "since_registration"), "a client's "
            "trades pay from his qualification on, or all of them once he qualifies"),
    _choice("kyc", ("ignore", "hold"), "with hold lines accrue held until the client is approved"),
    _whole("kyc_forfeit_days", 1, MAX_DAYS, "held lines are forfeited after so many days", "never"),
    _table("qualify", "only trades of qualified clients pay"),
    _table("guard", "the margin guard"),
    _table("payout", "the minimum payout"),
)  # fmt: skip

COMPONENT = (
    Key("code", "code", "keep it over versions: amounts are compared by it", "required"),
    _NAME,
    Key("basis", "choice", "what a rate multiplies", "required", words=BASES),
    Key("mode", "choice", "how the levels share", "required", words=MODES),
    Key("min_hold_seconds", "whole", "held for fewer seconds earns 0; equal is enough",
        "no such condition", "min_hold_s", high=MAX_HOLD_S),
    _choice("per", ("trade", "day", "week", "month", "quarter"), "each trade by itself, or the sum "
            "of the basis over a period of the broker's own time"),
    Key("ranks", "codes", "mode rank: the cards, lowest first", "none"),
    _choice("unit", ("money", "points", "pips"), "spread, markup: a share of its money, or an "
            "amount per point or pip and lot"),
    _choice("sides", ("close", "open", "both"), "notional: at which price"),
    Key("counts", "choices", "commission, profit, loss, result, revenue: which money of the trade "
        "is summed", "commission for commission, else profit",
        words=("commission", "fee", "swap", "profit")),
    Key("less", "choices", "with per: what is taken from the period's sum, as events of the "
        "clients tell it: bonuses less those removed, deposits lost to chargebacks, compensation "
        "of balances below zero, fees that payments cost the broker", "nothing",
        words=("bonuses", "chargebacks", "compensation", "fees")),
    _choice("deposits", ("all", "net", "first"), "deposits: all of them, less withdrawals, or the "
            "client's first alone"),
    Key("currency", "currency", "the basis is converted into it before the rate",
        "not converted"),
    _choice("value_fx", ("mid", "bid", "ask"), "side of the stored rate that converts the basis"),
    _choice("wallet_fx", ("mid", "bid", "ask"), "side that converts the amount into the wallet"),
    Key("event", "choice", "fixed, deposits: what is paid for", "required for fixed",
        words=("qualified", "registration", "trade")),
    _whole("hold_days", 0, MAX_DAYS, "earned amounts become payable so many days later", "0"),
    _whole("clawback_days", 1, MAX_DAYS, "a reversal within so many days takes back", "always"),
    Key("advance", "code", "pays only past what the component named here paid for the same client",
        "no advance"),
    Key("skip_levels", "wholes", "levels without a line; those above keep their number", "none",
        low=1, high=MAX_LEVELS),
    _table("spread", "how the spread is measured"),
    _table("when", "conditions"),
    _table("tier", "what chooses the band of a rate"),
    _table("carry", "negative sums"),
    _table("rounding", "places of each stage"),
    _table("rebate", "the client's part"),
    _table("qualify", "when a client counts"),
    Key("rate", "tables", "rates", "required"),
    Key("split", "tables", "shares of a pot", "none"),
    Key("cap", "tables", "caps", "none"),
)  # fmt: skip

RATE = (
    Key("card", "card", "the rate card of partners' terms", "any card, as \"*\""),
    _whole("level", 1, MAX_LEVELS, "1 is the direct IB", "all levels"),
    _amount("amount", 'in a currency: "6.50", "1/3" or a whole number, at most nine decimals'),
    Key("currency", "currency", "of the amount", "the programme's"),
    Key("share", "share", '"20%", "0.2" or "1/5" of the basis; with `of`: of what the level below '
        "earned there"),
    Key("of", "code", "a component above this one"),
    _amount("points", "basis points: so many points per lot"),
    _amount("pips", "basis points: so many pips per lot"),
    _amount("per_million", "notional: so much per million"),
    _amount("per_100k", "notional: so much per 100,000"),
    _amount("basis_points", "notional: so many hundredths of a percent"),
    Key("symbol", "text", "canonical name of a symbol", "all symbols"),
    Key("symbol_group", "text", "a symbol group, as loaded", "all symbols"),
    Key("account_group", "mask", "a group or mask, in which * stands for any text",
        "all accounts"),
    Key("account_type", "text", "an account type, as loaded", "all accounts"),
    Key("country", "country", "of the client, two letters", "all countries"),
    Key("side", "choice", "for the opening or the closing side only", "both",
        words=("open", "close")),
    Key("from", "number", "tier: the measure from which this band holds", "0", "start",
        high=MAX_TOTAL),
    Key("to", "number", "tier: where it ends; has to be the next band's `from`",
        "the next `from`", high=MAX_TOTAL),
)  # fmt: skip
EARNING_KEYS = (
    "amount", "currency", "share", "of", "points", "pips", "per_million", "per_100k",
    "basis_points",
)  # fmt: skip

SPLIT = (
    Key("card", "card", "the rate card of partners' terms", "any card"),
    _whole("level", 1, MAX_LEVELS, "1 is the direct IB", "all levels"),
    Key("share", "share", "pot_split: of the pot; share_up: of what reaches this level, the part "
        "passed upward; percent_of_child: of what the level below earned", "required"),
)  # fmt: skip
SPREAD = (
    _choice("measured", ("half", "open", "close", "average"), "half at each end, at one end, or "
            "the average of both"),
    Key("quotes", "choices", "sources in order; the first good one counts, without one the trade "
        "waits", "deal, imported, typical", words=("deal", "imported", "typical")),
    _total("cap_points", "the spread counts at most so many points", "no cap"),
    _total("cap_per_lot", "its money counts at most so much per lot", "no cap"),
    Key("cap_currency", "currency", "of cap_per_lot", "the programme's"),
    Key("guard", "flag", "above the symbol's average: pay in proportion average / current",
        "false"),
)  # fmt: skip
HEDGED = (
    _choice("by", ("account", "client"), "per account or client, and instrument"),
    _choice("window", ("day", "week", "month"), "of the broker's own time"),
)
BONUS = (
    Key("below", "share", "only where (equity - credit) / equity is below this", "always"),
    _whole("max_age_h", 1, 24 * 366, "an older account snapshot makes the trade wait", "24"),
)
WHEN = (
    _whole("min_hold_seconds", 0, MAX_HOLD_S, "as in [[component]]", "no such condition"),
    _total("min_points", "price moved at least so many points between open and close"),
    _total("min_pips", "the same in pips"),
    _pay("partial_close", "partial closes pay"),
    _choice("close_by", ("one", "both", "none"), "positions closed by each other: sides that pay"),
    _table("hedged", "hedged volume netted: the larger of total long and total short pays"),
    Key("excluded_reasons", "choices", "deal reasons that pay nothing", "rollover, "
        "variation_margin, settlement, transfer, sync, migration, split", words=tuple(REASONS)),
    _pay("zero_result", "trades with a result of 0 pay"),
    _pay("same_price", "trades with one price for opening and closing pay"),
    _pay("negative_balance", "the order that drove the account below zero pays"),
    _table("bonus", "the bonus-funded share is excluded"),
    Key("account_types", "texts", "only these pay", "all"),
    Key("countries", "countries", "of the client: only these pay", "all"),
    Key("not_countries", "countries", "of the client: these do not pay", "none"),
    Key("from", "moment", "campaign: closed from then on", "open", "from_ms"),
    Key("until", "moment", "campaign: closed before then", "open", "until_ms"),
    Key("hours", "hours", 'of the broker\'s day, by the close: ["08:00-17:00"]', "all day"),
    Key("weekdays", "weekdays", "of the broker's week, by the close", "all", words=WEEKDAYS),
    _whole("client_days", 1, MAX_DAYS, "closed within so many days of the client's registration",
           "his whole life"),
    _whole("client_after", 0, MAX_DAYS, "closed after so many days of it", "from the first"),
)  # fmt: skip
TIER = (
    Key("measure", "choice", "what is counted", "required", words=(
        "lots", "notional", "revenue", "value", "trades", "clients", "conversions", "deposits",
        "first_deposit", "earned")),
    _choice("of", ("own", "network"), "of the payee's direct clients, or of all below him"),
    Key("window", "choice", "a period of the broker's own time", "month", words=(
        "day", "week", "month", "quarter", "year", "life", "rolling")),
    _whole("length", 1, 366, "rolling: over so many units, the current one included", "1"),
    _choice("unit", ("month", "day"), "rolling: its unit"),
    Key("average", "flag", "rolling: the sum divided by the length", "false"),
    _choice("method", ("marginal", "retroactive", "ladder"), "each band at its own rate; all at "
            "the rate reached; or each step the total due, paid as the difference"),
    _choice("boundary", ("from", "above"), "a measure equal to `from` is in the band, or below"),
    _choice("applies", ("current", "following"), "to the window itself, or the following one"),
    _choice("promotion", ("free", "stepwise"), "with stepwise at most one band up per window"),
    _whole("grace", 0, 366, "so many windows below before a demotion", "0"),
    _OWN_CURRENCY,
    Key("of_component", "code", "measure earned: of this component", "none"),
)  # fmt: skip
CAP = (
    _total("amount", "at most this much", "required"),
    Key("per", "choice", "for each", "required", words=(
        "order", "client_day", "client_life", "partner_day", "partner_week", "partner_month")),
    _choice("unit", ("money", "lots"), "of the line, or lots"),
    _OWN_CURRENCY,
    _whole("level", 1, MAX_LEVELS, "only lines of this level", "each level by itself"),
)  # fmt: skip
CARRY = (
    _choice("negative", ("carry", "reset"), "later periods earn it back first, or it is 0"),
    Key("across", "codes", "components netted with this one first", "this one alone"),
    _total(
        "forgive",
        "so much of each period's negative sum is forgiven, in the wallet's currency",
        "nothing",
    ),
    Key("share", "share", "of what is below zero beyond that: the part that is carried", "100%"),
    _whole("periods", 1, 366, "carried for so many periods, then forgiven", "for ever"),
    _choice(
        "within",
        ("life", "month", "quarter", "year"),
        "carried to the end of the month, "
        "quarter or year in which its period begins, then forgiven",
    ),
)
ROUNDING = (
    _whole("value", 0, 8, "places of the converted basis", "not rounded"),
    _whole("amount", 0, 8, "places of what the rate gives", "8"),
    _whole("wallet", 0, 8, "places of the amount in the payee's currency", "8"),
    _choice("how", ("even", "up"), "halves go to even, or up"),
)
REBATE = (
    Key("share", "share", "of what the lowest level earns, paid to the client out of it",
        "required"),
    _choice("taken", ("after", "before"), "what levels above that are paid by the child's earning "
            "see: after = its gross, before = what is left to it"),
)  # fmt: skip
GATE = (Key("conversion", "share", "a month below it pays nothing", "required"),)
QUALIFY = (
    _total("first_deposit", "the first deposit is at least this"),
    _whole("sum_hours", 0, 24 * 366, "the sum of deposits within so many hours of the first counts "
           "as the first", "0"),
    _total("net_deposits", "deposits less withdrawals and reversals"),
    _total("lots", "traded"),
    _total("spread", "generated"),
    _total("commission", "generated"),
    _total("revenue", "generated, by the book of the account; once reached it stays so"),
    _whole("orders", 1, 10**6, "closed trades that pass the conditions", "no such condition"),
    _whole("active_days", 1, MAX_DAYS, "days with such a trade", "no such condition"),
    Key("kyc", "flag", "the client is approved", "false"),
    _whole("within_days", 1, MAX_DAYS, "all of it within so many days of the registration"),
    _choice("calendar", ("calendar", "business"), "which days these are"),
    _whole("keep_days", 1, MAX_DAYS, "deposits less withdrawals have to stay at net_deposits (else "
           "first_deposit) for so many calendar days after qualifying",
           "withdrawals take nothing back"),
    _choice("who", ("own", "crm", "both"), "who says so: these conditions, the CRM, or both"),
    _OWN_CURRENCY,
    _table("gate", "a month's conversion, qualified / registered clients of the partner"),
)  # fmt: skip
GUARD = (
    Key("action", "choice", "past the limit: note, cut in proportion, or pay nothing and wait",
        "required", words=("warn", "cap", "block")),
    Key("limit", "share", "what the chain is paid against the broker's revenue", "100%", high=100),
    Key("of", "choices", "what counts as the broker's revenue", "spread, commission",
        words=("spread", "markup", "commission", "swap")),
)  # fmt: skip
PAYOUT = (
    _total("minimum", "a smaller payable is carried forward", "required"),
    Key("currency", "currency", "of the minimum", "the wallet's"),
)

# How a person writes the header of each table, and its keys.
TABLES: dict[str, tuple[Key, ...]] = {
    "[programme]": PROGRAMME,
    "[programme.qualify]": QUALIFY,
    "[programme.qualify.gate]": GATE,
    "[programme.guard]": GUARD,
    "[programme.payout]": PAYOUT,
    "[[component]]": COMPONENT,
    "[[component.rate]]": RATE,
    "[[component.split]]": SPLIT,
    "[component.spread]": SPREAD,
    "[component.when]": WHEN,
    "[component.when.hedged]": HEDGED,
    "[component.when.bonus]": BONUS,
    "[component.tier]": TIER,
    "[[component.cap]]": CAP,
    "[component.carry]": CARRY,
    "[component.rounding]": ROUNDING,
    "[component.rebate]": REBATE,
    "[component.qualify]": QUALIFY,
    "[component.qualify.gate]": GATE,
}


def names(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """Return the names of some keys."""
    return tuple(key.name for key in keys)
