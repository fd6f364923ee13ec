"""The `pipshare` program: its commands, and one place where errors become an exit status."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NoReturn

import click

from pipshare import __version__
from pipshare.cli.pools import one_pool
from pipshare.cli.printed import complain
from pipshare.errors import PipshareError

# Command -> (module, what it does). Modules are imported when used: `--help` stays quick.
COMMANDS = {
    "import": ("importing", "Read trade exports and book what they bring."),
    "source": ("sources", "Set up what feeds pipshare: an MT5 server, a folder; check, pause."),
    "work": ("working", "Poll the sources and book what they bring, until told to end."),
    "load": ("loading", "Load reference data: partners, clients, accounts, groups, rates ..."),
    "plan": ("planning", "Check, apply, compare and export programmes."),
    "statement": ("stating", "Show what a partner earned in a period."),
    "period": ("periods", "Close a period for good; list the closed ones."),
    "payout": ("payouts", "Record what was paid to a partner, by two people; list it."),
    "rate": ("rating", "Rate trades and events in files, without a database."),
    "simulate": ("simulating", "Run other programmes over past trades; nothing is booked."),
    "compare": ("comparing", "Compare with another system's commission report."),
    "explain": ("explaining", "Show why each partner earned what he did from a trade."),
    "waiting": ("waiting", "List the trades that wait, and what for."),
    "agent": ("agents", "Accounts whose agent the platform pays itself: list, decide."),
    "deposits": ("deposits", "Deposits told by several sides: whose count, what matches what."),
    "kyc": ("kyc", "KYC: where clients stand, what is held; countries that are blocked."),
    "approve": ("approving", "Approve a proposed change as the second person."),
    "reject": ("approving", "Reject a proposed change, or take one's own back."),
    "proposals": ("approving", "List the changes that wait for a second person."),
    "verify": ("verifying", "Check the books; name the first break."),
    "serve": ("serving", "Serve the console and the API."),
    "user": ("users", "Add, list, disable and reset the people who sign in."),
    "receiver": ("receivers", "Who gets postbacks and webhooks: set up, test, log, send again."),
    "deliver": ("delivering", "Send postbacks and webhooks, as a process of its own."),
    "tracker": ("trackers", "Who may post back to us, and the addresses that he calls."),
    "postbacks": ("postbacks", "The log of postbacks, and what became of each."),
    "crm": ("crm", "Connections to CRMs: add, map, test, log, replay."),
    "ib": ("ibs", "Who applies to become a partner: list, screen, approve, reject."),
    "agreement": ("agreements", "What partners agree to: publish a version, list, show."),
    "landing": ("landings", "The pages to which links lead: allow, list, archive."),
    "link": ("links", "Partners' links, codes to scan, codes typed at registration."),
    "tracking": ("tracking", "Which click counts, for how long, and which deposit qualifies."),
    "funnel": ("funnel", "Count clicks, registrations, deposits and first trades."),
    "key": ("keys", "Add, list and revoke the keys with which machines use the API."),
    "prune": ("pruning", "Delete what is old and serves nothing any more; first it only counts."),
    "demo": ("demo", "Load a demonstration broker and show what its partners earned."),
    "sandbox": ("sandbox", "Serve an invented broker's MT5 server, to try a connection with."),
}


class Commands(click.Group):
    """The group of all commands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"pipshare.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pipshare")
def program() -> None:
    """pipshare: what introducing brokers earned, exactly, and why."""


def main(arguments: list[str] | None = None, **settings: Any) -> None:
    """Run the program; a known error becomes one sentence on stderr and exit status 1."""
    one_pool()
    try:
        program.main(args=arguments, prog_name="pipshare", **settings)
    except PipshareError as error:
        _end(error.message)
    except BrokenPipeError:
        sys.exit(0)  # somebody closed the pager
    except Exception as error:
        if not _is_database_down(error):
            raise
        _end(f"the database gave up: {str(error).strip()}; what was committed stands, run the"
             " command again to go on")  # fmt: skip


def _end(sentence: str) -> NoReturn:
    complain(sentence)
    sys.exit(1)


def _is_database_down(error: Exception) -> bool:
    """Whether the server went away, is full or took too long: nothing that the program did."""
    psycopg = sys.modules.get("psycopg")  # `--help` does without it
    return psycopg is not None and isinstance(error, psycopg.OperationalError)
