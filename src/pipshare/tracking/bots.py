"""Tell people's clicks from those of programs and of browsers that only look ahead.

By what a request says of itself: method, headers, and the names that crawlers, previews and
libraries give themselves. Whoever pretends to be a browser counts as one here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from pipshare.facts.clicks import BOT, HUMAN, PREFETCH

AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_AHEAD_WORDS = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
_PHONES = re.compile(r"\bcubot\b", re.IGNORECASE)  # a maker of telephones, no robot
_PROGRAMS = re.compile(
    # Crawlers and previews of links in messages and posts.
    r"bot\b|bot[/_;-]|robot|crawl|spider|slurp|archiver|scrape|facebookexternalhit|facebookcatalog"
    r"|meta-external|whatsapp/|skypeuripreview|embedly|quora link|pinterest/0|vkshare|iframely"
    r"|snap url preview|bitlybot|mediapartners-google|google web preview|googleother|feedfetcher"
    r"|google-inspectiontool|google-read-aloud|apis-google|bingpreview|yandex\.com/bots|ia_archiver"
    r"|link ?preview|url ?preview|unfurl|opengraph|validator|microsoft office|ms-office|outlook-"
    # Watchers, scanners of mail, tests of speed.
    r"|monitor|uptime|pingdom|statuscake|newrelic|datadog|checkly|lighthouse|pagespeed|gtmetrix"
    r"|headless|phantomjs|selenium|puppeteer|playwright|barracuda|proofpoint|mimecast|safelinks"
    r"|scanner|nessus|nikto|masscan|zgrab|censys|expanse"
    # Libraries and tools.
    r"|^curl/|^wget|python-|python/|aiohttp|httpx/|go-http-client|^java/|apache-httpclient|okhttp"
    r"|libwww|^php|guzzle|ruby|faraday|axios|node-fetch|undici|^node|postman|insomnia|^dart/|restsharp"
    r"|scrapy|httpie",
    re.IGNORECASE,
)


def kind_of(method: str, header: Callable[[str], str]) -> int:
    """Return HUMAN, BOT or PREFETCH for a request; `header` finds one by its name, "" if absent."""
    for name in AHEAD:
        said = header(name)
        if said and _AHEAD_WORDS.search(said):
            return PREFETCH
    agent = header("User-Agent")
    if method == "HEAD" or not agent.strip() or is_program(agent[:500]):
        return BOT
    return HUMAN


@lru_cache(maxsize=4096)  # the same browsers come again and again
def is_program(agent: str) -> bool:
    """Whether a user agent names itself as something other than a person's browser."""
    return _PROGRAMS.search(_PHONES.sub("", agent)) is not None
