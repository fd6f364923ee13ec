"""The sandbox MT5 server: a broker's trade server in a box, spoken to over its Web API.

What comes in: a seed, a size and a folder. What goes out: the documented HTTPS protocol on
loopback, for any client. `world` is the broker (accounts, prices, deals, mischief); the modules
beside it speak the protocol. Guarantee: shares no code with the connectors it is used to try.
"""

from pipshare.sandbox.mt5.faults import KINDS, Faults
from pipshare.sandbox.mt5.server import Mt5Server
from pipshare.sandbox.mt5.session import RIGHTS, Limits, Manager

__all__ = ["KINDS", "RIGHTS", "Faults", "Limits", "Manager", "Mt5Server"]
