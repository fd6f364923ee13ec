"""Pips, books, markups, typical spreads, and both sides of exchange rates."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """Columns and two tables that bookings depend on: 0004_spreads.sql."""

    dependencies = (
        ("market", "0003_authority"),
        ("audit", "0002_changes"),
    )
    operations = (
        schema.run_file(__file__, "0004_spreads.sql"),
        schema.watched("market_markup", "symbols"),
        schema.watched("market_spread", "symbols"),
    )
