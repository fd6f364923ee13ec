"""Periods are closed, and what is earned moves on: payable, paid, released, forfeited."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0003_periods.sql."""

    dependencies = (("ledger", "0002_by_transaction"),)
    operations = (schema.run_file(__file__, "0003_periods.sql"),)
