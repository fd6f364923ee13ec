"""Plans of what builds up over periods and clients, which several stories tell of."""

from __future__ import annotations

E8 = 10**8
LATER = 1_900_000_000_000
TIERS = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "tiered"
basis = "lot"
mode = "per_level"
[component.tier]
measure = "lots"
window = "month"
method = "{method}"
[[component.rate]]
level = 1
amount = "3"
[[component.rate]]
level = 1
from = "2"
amount = "5"
"""
CAPPED = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "capped"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
amount = "5"
[[component.cap]]
per = "client_day"
amount = "12"
"""
CARRIED = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "revshare"
basis = "result"
mode = "per_level"
per = "month"
[component.carry]
negative = "carry"
[[component.rate]]
level = 1
share = "30%"
"""
CPA = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "cpa"
basis = "fixed"
mode = "per_level"
event = "qualified"
[component.qualify]
first_deposit = "100"
[[component.rate]]
level = 1
amount = "200"
"""
NET = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "net"
basis = "result"
mode = "per_level"
per = "{per}"
currency = "USD"
less = ["bonuses", "chargebacks", "fees"]
[[component.rate]]
level = 1
share = "30%"
"""
KYC = """[programme]
code = "std"
currency = "USD"
kyc = "hold"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
amount = "5"
"""
QUALIFIED = """[programme]
code = "std"
currency = "USD"
qualified_pays = "since_registration"
[programme.qualify]
first_deposit = "100"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[[component.rate]]
level = 1
amount = "5"
"""
REBATE = """[programme]
code = "std"
currency = "USD"

[[component]]
code = "lots"
basis = "lot"
mode = "per_level"
[component.rebate]
share = "40%"
[[component.rate]]
level = 1
amount = "5"
"""
