"""Deposits that several sides tell: which count, which are told twice, and what matches what.

What comes in: clients' events of all sources, balance operations of the platforms, postbacks, our
own payments. What goes out: an alert where two sources tell the same and nobody said which counts,
and a report. Guarantee: nothing is booked from here; the same facts give the same report.
"""

from pipshare.pipeline.deposits.match import Compared, compare_deposits
from pipshare.pipeline.deposits.told_twice import close_told, note_twins, why_not_counted

__all__ = ["Compared", "close_told", "compare_deposits", "note_twins", "why_not_counted"]
