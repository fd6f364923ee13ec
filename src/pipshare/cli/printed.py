"""Names from outside can be anything, and a terminal obeys some of it: how commands print them."""

from __future__ import annotations

import unicodedata

import click


def printable(text: str, also: str = "") -> str:
    r"""Return a text with what a terminal obeys, or nobody sees, as escapes such as \x1b.

    `also`: characters that stay as they are. Blanks of every width stay, too.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in also or unicodedata.category(one) == "Zs"
                   else repr(one)[1:-1] for one in text)  # fmt: skip


def complain(sentence: str) -> None:
    """Print a sentence on stderr, as the program's own."""
    click.echo(printable(f"pipshare: {sentence}", "\n"), err=True)
