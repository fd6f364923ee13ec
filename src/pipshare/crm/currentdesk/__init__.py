"""CurrentDesk's partner REST API: records of days, read by windows with an overlap."""

from pipshare.crm.currentdesk.client import CurrentDesk
from pipshare.crm.currentdesk.config import Config

__all__ = ["Config", "CurrentDesk"]
