"""Transfers found by the transaction that made them."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """An index of transfers: 0002_by_transaction.sql."""

    dependencies = (("ledger", "0001_initial"),)
    operations = (schema.run_file(__file__, "0002_by_transaction.sql"),)
