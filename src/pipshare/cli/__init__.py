"""The command line: what an operator types, and what the terminal answers.

What comes in: commands and files. What goes out: tables, CSV, JSON and an exit status (0 done,
1 refused or not found, 2 wrong use). Guarantee: a thin edge; every rule lives in a stage.
"""

from pipshare.cli.main import main

__all__ = ["main"]
