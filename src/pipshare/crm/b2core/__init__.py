"""B2CORE's Back Office API: clients, accounts and transactions, in pages by limit and offset."""

from pipshare.crm.b2core.client import B2Core
from pipshare.crm.b2core.config import Config

__all__ = ["B2Core", "Config"]
