"""The pull API that brokers build for Track360: OAuth2, customers and transactions in pages."""

from pipshare.crm.track360.client import Track360
from pipshare.crm.track360.config import Config

__all__ = ["Config", "Track360"]
