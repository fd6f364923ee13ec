"""Entries found by their transfer, the newest too."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """An index that keeps up by itself: 0002_summarise.sql."""

    dependencies = (("rating", "0001_initial"),)
    operations = (schema.run_file(__file__, "0002_summarise.sql"),)
