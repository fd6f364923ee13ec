"""The settings of pipshare with one more address, /empty, whose view does nothing.

`pipshare serve` under these settings is the server as shipped; the empty view passes the same
middleware as every other.
"""

from __future__ import annotations

from pipshare.settings import *  # noqa: F403 - Django's own way to add to settings

ROOT_URLCONF = "benchmarks.empty_urls"
