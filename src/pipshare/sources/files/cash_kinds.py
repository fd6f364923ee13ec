"""What a balance row is, told by its comment: deposits apart from everything that is none.

Comments are the broker's own words. The forms known from real exports come first ("CRM-S-...Swap",
"CRM-D-", "CRM-W-", "IT From <login>"), then words; what says nothing stays a plain balance row.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipshare.facts import CashKind


@dataclass(frozen=True)
class Rule:
    """A kind and how its comments look, in lower case: a start, a part, or a pattern."""

    kind: CashKind
    starts: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    pattern: str | None = None  # only where a word alone would say too much

    def fits(self, lowered: pl.Expr) -> pl.Expr:
        """Tell for each comment whether the rule fits."""
        tests = [lowered.str.starts_with(start) for start in self.starts]
        tests += [lowered.str.contains(part, literal=True) for part in self.parts]
        if self.pattern is not None:
            tests.append(lowered.str.contains(self.pattern))
        return pl.any_horizontal(tests)


# The first rule that fits decides.
RULES = (
    Rule(CashKind.DEPOSIT, starts=("crm-d-",)),
    Rule(CashKind.WITHDRAWAL, starts=("crm-w-",)),
    Rule(CashKind.COMPACTION, parts=("compact", "history compress")),
    Rule(CashKind.COMPENSATION, parts=("negative balance", "compensation")),
    Rule(CashKind.SWAP, parts=("swap", "financing", "rollover", "roll over", "roll-over")),
    Rule(CashKind.DIVIDEND, parts=("dividend",)),
    Rule(CashKind.BONUS, parts=("bonus",)),
    Rule(CashKind.TRANSFER, starts=("it from ", "it to "), parts=("transfer",)),
    Rule(CashKind.AGENT, starts=("agent ",)),
    Rule(CashKind.COMMISSION, parts=("commission", "rebate")),
    # A comment that begins with a fee's name: "deposit 500 less fee" is a deposit.
    Rule(
        CashKind.FEE,
        pattern=r"^(?:(?:account|bank|card|conversion|deposit|dormant|dormancy"
        r"|inactivity|maintenance|monthly|payment|processing|service|transaction|wire|withdrawal)"
        r" )*fees?\b",
    ),
    Rule(CashKind.TAX, pattern=r"\btax(?:es)?\b"),
    Rule(CashKind.INTEREST, pattern=r"\binterest\b"),
    Rule(CashKind.CORRECTION, parts=("adjust", "correct")),
    Rule(CashKind.WITHDRAWAL, parts=("withdraw",)),
    Rule(CashKind.DEPOSIT, parts=("deposit",)),
    Rule(CashKind.CREDIT, pattern=r"\bcredit\b"),  # "credited by" is a deposit's word
)


def cash_kind(comment: pl.Expr, is_credit: pl.Expr) -> pl.Expr:
    """Return CashKind values (String) of comments; rows of the type credit are credit."""
    lowered = comment.str.to_lowercase()
    # Numbers first, words once at the end: a column of words for each rule would cost the most.
    ranks = [pl.when(rule.fits(lowered)).then(pl.lit(at, pl.Int8)) for at, rule in enumerate(RULES)]
    credit = pl.when(is_credit).then(pl.lit(len(RULES), pl.Int8))
    words = [str(rule.kind) for rule in RULES] + [str(CashKind.CREDIT)]
    return pl.coalesce(credit, *ranks).replace_strict(
        list(range(len(words))), words, default=str(CashKind.BALANCE), return_dtype=pl.String
    )
