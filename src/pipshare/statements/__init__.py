"""Statements: what one payee earned in one period, and whether the books agree with it.

What comes in: ledger legs and the lines behind them. What goes out: a Statement (opening, booked,
closing per state, lines with their trades) and the check of lines against legs. Guarantee: every
figure is a sum of rows that exist; nothing is computed twice in different ways.
"""

from pipshare.statements.build import Statement, build
from pipshare.statements.check import check_lines
from pipshare.statements.freeze import Frozen, earned_in, freeze, frozen
from pipshare.statements.overview import Waiting, longest_chain, overview, waiting
from pipshare.statements.resting import Rests, free_now

__all__ = [
    "Frozen",
    "Rests",
    "Statement",
    "Waiting",
    "build",
    "check_lines",
    "earned_in",
    "free_now",
    "freeze",
    "frozen",
    "longest_chain",
    "overview",
    "waiting",
]
