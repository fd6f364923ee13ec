"""Milestones that a first import can afford."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0008_first_trades.sql: no foreign key, and ranges of pages in place of a B-tree."""

    dependencies = (("clients", "0007_jurisdictions"),)
    operations = (schema.run_file(__file__, "0008_first_trades.sql"),)
