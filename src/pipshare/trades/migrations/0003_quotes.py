"""Quotes that came beside trades."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """A table of its own, written only where quotes are told: 0003_quotes.sql."""

    dependencies = (("trades", "0002_by_close"),)
    operations = (schema.run_file(__file__, "0003_quotes.sql"),)
