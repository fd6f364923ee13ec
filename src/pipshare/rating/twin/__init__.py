"""The scalar twin: rates by hand, with Fractions, and shows the working of each line.

Takes facts (rating.twin_values) and parsed programmes; gives lines with their steps. It is written
from the rules (plans.terms, docs/decisions/0003) and not from the kernel, with which it shares only
parsed terms and money types; property tests hold the two equal, line by line.
"""

from pipshare.rating.twin.day import BrokerDay
from pipshare.rating.twin.many import ManyLine, ManyResult, rate_many
from pipshare.rating.twin.run import rate_one

__all__ = ["BrokerDay", "ManyLine", "ManyResult", "rate_many", "rate_one"]
