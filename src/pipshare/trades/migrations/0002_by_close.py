"""Trades found by when they closed."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """An index of page ranges: 0002_by_close.sql."""

    dependencies = (("trades", "0001_initial"),)
    operations = (schema.run_file(__file__, "0002_by_close.sql"),)
