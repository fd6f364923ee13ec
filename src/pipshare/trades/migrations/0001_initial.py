"""Closed trades and their revisions."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = (("inbox", "0001_initial"),)
    operations = (
        schema.run_file(__file__),
        schema.grant("UPDATE, DELETE", "trades_waiting"),
    )
