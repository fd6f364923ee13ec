"""pipshare: the open IB platform for forex and CFD brokers on MetaTrader 4 and 5."""

__version__ = "0.1.0"
