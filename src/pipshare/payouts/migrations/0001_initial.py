"""Payments made outside."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = (("ledger", "0003_periods"),)
    operations = (schema.run_file(__file__),)
