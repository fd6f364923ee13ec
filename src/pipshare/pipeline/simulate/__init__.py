"""What-if: stored trades by other plans, through the kernels that book, without booking anything.

What comes in: plan files that stand in for recorded programmes, a span of the broker's own days.
What goes out: what every partner earns by either side, what waits, and the broker's margin; or the
lines of single trades, for a comparison with another system. Guarantee: nothing is written, and a
simulation of what is recorded says what is booked.
"""

from pipshare.pipeline.simulate.answer import Answer, Margin, PartnerRow, Side
from pipshare.pipeline.simulate.question import Question, sides_of
from pipshare.pipeline.simulate.simulate import simulate

__all__ = ["Answer", "Margin", "PartnerRow", "Question", "Side", "sides_of", "simulate"]
