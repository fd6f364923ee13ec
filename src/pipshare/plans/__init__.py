"""Plans: programmes, their versions and rates, and the terms on which partners take part.

What comes in: plan files (TOML) and terms files. What goes out: a Book of every version and
everybody's terms, looked up by columns of moments; differences in words. Guaranteed: a file with an
error is refused whole, every error with its line; nothing recorded is ever changed; amounts are
exact; no two rates can be meant for one trade.
"""

from pipshare.plans.apply import ApplyReport, apply, diff
from pipshare.plans.book import Book, Terms, Version
from pipshare.plans.check import Checked, check, unknown_groups
from pipshare.plans.load import APPLIERS, apply_terms, load_terms
from pipshare.plans.parse import parse
from pipshare.plans.problems import BadPlan
from pipshare.plans.read_book import book
from pipshare.plans.recorded import ProgrammeRow, Recorded, export, programme, programmes

__all__ = [
    "APPLIERS",
    "ApplyReport",
    "BadPlan",
    "Book",
    "Checked",
    "ProgrammeRow",
    "Recorded",
    "Terms",
    "Version",
    "apply",
    "apply_terms",
    "book",
    "check",
    "diff",
    "export",
    "load_terms",
    "parse",
    "programme",
    "programmes",
    "unknown_groups",
]
