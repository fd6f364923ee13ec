"""Everything but deals as the Web API writes it: users, accounts, groups, symbols, positions.

All values are strings; made when asked for, from the realm as it stands.
"""

from __future__ import annotations

import json
from typing import Any

from pipshare.sandbox.mt5.world.accounts import login_of
from pipshare.sandbox.mt5.world.deal_json import OUT_BY, eight, money
from pipshare.sandbox.mt5.world.legs import FORMS, rounded, stops
from pipshare.sandbox.mt5.world.positions import Position
from pipshare.sandbox.mt5.world.price_list import SYMBOLS, Group, Quoted
from pipshare.sandbox.mt5.world.prices import ONE
from pipshare.sandbox.mt5.world.realm import Realm
from pipshare.sandbox.mt5.world.wall import offset_ms

Record = dict[str, Any]
# Listed, never traded: somebody forgot its contract size. A check of a connection should say so.
UNFINISHED = "SUGAR.z"
_CLOSE_BY = "8"  # type of an order


def user(realm: Realm, account: int) -> Record:
    """Return the user record of an account."""
    accounts = realm.accounts
    opened = realm.start_ms - 1000 * accounts.age_s(account)
    balance = _sum(accounts.balance[account])
    record = {
        "Login": str(login_of(account)), "Group": accounts.group_of(account).name,
        "CertSerialNumber": "0", "Registration": str((opened + offset_ms(opened)) // 1000),
        "LastAccess": str((realm.start_ms + offset_ms(realm.start_ms)) // 1000),
        "MiddleName": "", "Company": "", "Account": "", "Language": "0", "ClientID": "0",
        "State": "", "ZipCode": "", "Address": "", "ID": "", "Color": "4278190080",
        "Agent": str(accounts.agent[account]), "TradeAccounts": "", "LeadCampaign": "",
        "LeadSource": "", "LimitPositions": "0", "LimitOrders": "0", "Balance": balance,
        "Credit": _sum(accounts.credit[account]), "InterestRate": "0.00",
        "CommissionDaily": "0.00", "CommissionMonthly": "0.00", "CommissionAgentDaily": "0.00",
        "CommissionAgentMonthly": "0.00", "BalancePrevDay": balance, "BalancePrevMonth": balance,
        "EquityPrevDay": balance, "EquityPrevMonth": balance, "ApiData": [],
    }  # fmt: skip
    return record | accounts.person(account)


def account_state(realm: Realm, account: int) -> Record:
    """Return balance, margin and equity of an account."""
    balance, credit = realm.accounts.balance[account], realm.accounts.credit[account]
    floating = margin = 0
    for position in realm.positions.held(account):
        floating += _floating(realm, position)
        margin += _margin(realm, position)
    equity = balance + credit + floating
    level = 10_000 * equity // margin if margin else 0
    return {
        "Login": str(login_of(account)), "CurrencyDigits": "2", "Balance": _sum(balance),
        "Credit": _sum(credit), "Margin": _sum(margin), "MarginFree": _sum(equity - margin),
        "MarginLevel": _sum(level), "MarginLeverage": _leverage(realm, account),
        "Profit": _sum(floating), "Storage": "0.00", "Floating": _sum(floating),
        "Equity": _sum(equity), "SOActivation": "0", "SOTime": "0", "SOLevel": "0.00",
        "SOEquity": "0.00", "SOMargin": "0.00", "Assets": "0.00", "Liabilities": "0.00",
        "BlockedCommission": "0.00", "BlockedProfit": "0.00", "MarginInitial": "0.00",
        "MarginMaintenance": "0.00",
    }  # fmt: skip


def free_cents(realm: Realm, account: int) -> int:
    """Return the free margin of an account in cents."""
    free = realm.accounts.balance[account] + realm.accounts.credit[account]
    for position in realm.positions.held(account):
        free += _floating(realm, position) - _margin(realm, position)
    return free


def group(spec: Group) -> Record:
    """Return the record of an account group."""
    charges = []
    if spec.commission:
        charges.append({
            "Name": "commission", "Path": "*", "Mode": "0", "RangeMode": "0", "ChargeMode": "2",
            "EntryMode": "0" if spec.both else "1", "Value": _sum(spec.commission),
        })  # fmt: skip
    return {
        "Group": spec.name, "Server": "1", "PermissionsFlags": "2", "AuthMode": "0",
        "Company": "Demonstration Markets Ltd", "CompanySite": "", "CompanyEmail": "",
        "Currency": spec.currency, "CurrencyDigits": "2", "MarginMode": str(spec.margin_mode),
        "MarginCall": "100.00", "MarginStopOut": "50.00", "DemoLeverage": "100",
        "TradeFlags": "16", "Commissions": charges,
        "Symbols": [{"Path": f"{kind}\\*{spec.suffix}"} for kind in
                    ("Forex", "Metals", "Indices", "Crypto")],
    }  # fmt: skip


def symbol(quoted: Quoted) -> Record:
    """Return the record of a symbol."""
    spec = quoted.spec
    point = "0." + "1".rjust(quoted.digits, "0")
    return {
        "Symbol": quoted.name, "Path": f"{spec.kind}\\{quoted.name}", "Description": spec.about,
        "Basis": spec.name if quoted.suffix else "", "Source": "", "ISIN": "", "Category": "",
        "CurrencyBase": spec.base, "CurrencyBaseDigits": "2", "CurrencyProfit": quoted.profit,
        "CurrencyProfitDigits": "2", "CurrencyMargin": quoted.margin, "CurrencyMarginDigits": "2",
        "Digits": str(quoted.digits), "Point": point, "Multiply": f"{quoted.unit}.00000000",
        "ContractSize": f"{quoted.contract}.00000000", "TickSize": "0.00000000",
        "TickValue": "0.00000000", "CalcMode": "0" if spec.kind == "Forex" else "2",
        "TradeMode": "4", "ExecMode": "2", "Spread": "0", "SwapMode": "2",
        "SwapLong": _sum(spec.swap_buy), "SwapShort": _sum(spec.swap_sell), "Swap3Day": "3",
        "VolumeMin": "100", "VolumeMax": "1000000", "VolumeStep": "100",
        "VolumeMinExt": "1000000", "VolumeMaxExt": "10000000000", "VolumeStepExt": "1000000",
        "SessionsTrades": [], "SessionsQuotes": [],
    }  # fmt: skip


def symbols() -> list[Record]:
    """Return the records of all symbols, one of them without a contract size."""
    records = [symbol(quoted) for quoted in SYMBOLS]
    records.append(records[0] | {
        "Symbol": UNFINISHED, "Path": f"Commodities\\{UNFINISHED}", "Description": "Sugar",
        "Basis": "", "CurrencyBase": "USD", "CurrencyProfit": "USD", "CurrencyMargin": "USD",
        "ContractSize": "0.00000000", "CalcMode": "2",
    })  # fmt: skip
    return records


def position(realm: Realm, held: Position) -> Record:
    """Return the record of an open position."""
    quoted = held.quoted
    price = FORMS[quoted.number - 1].price
    bid = realm.prices.bids[quoted.market]
    now = bid if held.buy else bid + quoted.spread
    loss, gain = stops(held)
    currency = realm.accounts.group_of(held.account).currency
    return {
        "Position": str(held.ticket), "ExternalID": "", "Login": str(login_of(held.account)),
        "Dealer": "0", "Symbol": quoted.name, "Action": "0" if held.buy else "1",
        "Digits": str(quoted.digits), "DigitsCurrency": "2", "Reason": "0",
        "ContractSize": f"{quoted.contract}.00000000", "TimeCreate": str(held.time_s),
        "TimeUpdate": str(held.time_s), "PriceOpen": price(held.points).decode(),
        "PriceCurrent": price(now).decode(), "PriceSL": price(loss).decode(),
        "PriceTP": price(gain).decode(), "Volume": str(held.lots * 100),
        "VolumeExt": str(held.lots * 1_000_000), "Profit": _sum(_floating(realm, held)),
        "Storage": "0.00", "RateProfit": _rate(realm, quoted.profit, currency),
        "RateMargin": _rate(realm, quoted.margin, currency), "ExpertID": str(held.expert),
        "ExpertPositionID": "0", "Comment": "", "ModificationFlags": "0",
    }  # fmt: skip


def closed_order(data: bytes) -> Record:
    """Return the closed order that led to a deal."""
    deal = json.loads(data)
    by = deal["Entry"] == str(OUT_BY)
    against = deal["Comment"].rpartition("#")[2] if by else "0"
    same = ("Login", "Dealer", "Symbol", "Digits", "DigitsCurrency", "ContractSize", "Reason",
            "ExternalID", "ExpertID", "PositionID", "PriceSL", "PriceTP", "Comment")  # fmt: skip
    return {"Order": deal["Order"]} | {name: deal[name] for name in same} | {
        "State": "4", "TimeSetup": deal["Time"], "TimeSetupMsc": deal["TimeMsc"],
        "TimeDone": deal["Time"], "TimeDoneMsc": deal["TimeMsc"], "TimeExpiration": "0",
        "Type": _CLOSE_BY if by else deal["Action"], "TypeFill": "1", "TypeTime": "0",
        "PriceOrder": deal["Price"], "PriceTrigger": "0", "PriceCurrent": deal["Price"],
        "VolumeInitial": deal["Volume"],
        "VolumeInitialExt": deal["VolumeExt"], "VolumeCurrent": "0", "VolumeCurrentExt": "0",
        "PositionByID": against, "ModificationFlags": "0",
    }  # fmt: skip


def _floating(realm: Realm, held: Position) -> int:
    quoted = held.quoted
    bid = realm.prices.bids[quoted.market]
    gain = bid - held.points if held.buy else held.points - bid - quoted.spread
    raw = rounded(gain * held.lots * quoted.contract, quoted.unit)
    currency = realm.accounts.group_of(held.account).currency
    return rounded(raw * realm.prices.rate(quoted.profit, currency), ONE)


def _margin(realm: Realm, held: Position) -> int:
    quoted = held.quoted
    currency = realm.accounts.group_of(held.account).currency
    value = held.lots * quoted.contract * held.points * realm.prices.rate(quoted.profit, currency)
    return rounded(value, quoted.unit * ONE * int(_leverage(realm, held.account)))


def _leverage(realm: Realm, account: int) -> str:
    return realm.accounts.person(account)["Leverage"]


def _rate(realm: Realm, currency: str, deposit: str) -> str:
    return eight(realm.prices.rate(currency, deposit)).decode()


def _sum(cents: int) -> str:
    return money(cents).decode()
