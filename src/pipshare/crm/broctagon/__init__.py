"""Broctagon's CRM Open API: clients by skip and limit, transactions by days."""

from pipshare.crm.broctagon.client import Broctagon
from pipshare.crm.broctagon.config import Config

__all__ = ["Broctagon", "Config"]
