"""Changes of everything that a booking reads are noted: see audit's 0002_changes.sql.

The kinds are parts of pipeline.Run. Tables that came later say so in their own migrations.
"""

from django.db import migrations

from pipshare.db import schema

WATCHED = {
    "market": (
        "market_entity", "market_server", "market_suffixes", "market_server_clock",
        "market_go_live",
    ),
    "symbols": ("market_symbol",),
    "fx": ("market_fx",),
    "accounts": (
        "market_group", "clients_client", "clients_account", "clients_owner",
        "clients_account_state", "partners_parent", "partners_client",
    ),
    "partners": ("partners_partner", "partners_status", "partners_go_live"),
    "plans": (
        "plans_programme", "plans_version", "plans_component", "plans_rate", "plans_terms",
    ),
}  # fmt: skip


class Migration(migrations.Migration):
    """Plans stand above market, clients and partners, and know all of them."""

    dependencies = (
        ("plans", "0001_initial"),
        ("audit", "0002_changes"),
    )
    operations = tuple(
        schema.watched(table, kind) for kind, tables in WATCHED.items() for table in tables
    )
