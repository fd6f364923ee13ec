"""What a balance row is, told by its comment: deposits apart from everything that is none.

Comments are the broker's own words. The forms known from real exports come first ("CRM-S-...Swap",
"CRM-D-", "CRM-W-", "IT From <login>"), then words; what says nothing stays a plain balance row.
"""

from __future__ import annotations

import polars as pl

from pipshare.facts import CashKind

# The first pattern that occurs in the lower-case comment decides.
PATTERNS: tuple[tuple[str, CashKind], ...] = (
    (r"^crm-d-", CashKind.DEPOSIT),
    (r"^crm-w-", CashKind.WITHDRAWAL),
    (r"compact|history compress", CashKind.COMPACTION),
    (r"negative balance|compensation|\bnbp\b", CashKind.COMPENSATION),
    (r"swap|financing|roll\s?-?over", CashKind.SWAP),
    (r"dividend", CashKind.DIVIDEND),
    (r"bonus", CashKind.BONUS),
    (r"^it (?:from|to)\b|transfer", CashKind.TRANSFER),
    (r"^agent\b", CashKind.AGENT),
    (r"commission|rebate", CashKind.COMMISSION),
    (r"\btax(?:es)?\b", CashKind.TAX),
    (r"\binterest\b", CashKind.INTEREST),
    (r"adjust|correct", CashKind.CORRECTION),
    (r"withdraw", CashKind.WITHDRAWAL),
    (r"deposit", CashKind.DEPOSIT),
    (r"\bcredit\b", CashKind.CREDIT),
)


def cash_kind(comment: pl.Expr, is_credit: pl.Expr) -> pl.Expr:
    """Return CashKind values (String) of comments; rows of the type credit are credit."""
    lowered = comment.str.to_lowercase()
    told = [
        pl.when(lowered.str.contains(pattern)).then(pl.lit(str(kind))) for pattern, kind in PATTERNS
    ]
    credit = pl.when(is_credit).then(pl.lit(str(CashKind.CREDIT)))
    return pl.coalesce(credit, *told, pl.lit(str(CashKind.BALANCE)))
