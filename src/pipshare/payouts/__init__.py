"""Payouts: what was paid to a partner.

What comes in: a payment that somebody made outside, and a second person's approval. What goes out:
payable moved to paid, once. Guarantee: two different people; never more than what is payable; a
reference stands for one payment of its entity.
"""

from pipshare.payouts.record import (
    KIND,
    Free,
    Payment,
    book_payment,
    payable,
    payments,
    propose_payment,
)

__all__ = ["KIND", "Free", "Payment", "book_payment", "payable", "payments", "propose_payment"]
