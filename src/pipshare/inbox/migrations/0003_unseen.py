"""Deals that a platform does not show any more, and rows refused from a live connection."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """A table of what is not seen since; 0003_unseen.sql."""

    dependencies = (("inbox", "0002_sources"),)
    operations = (
        schema.run_file(__file__, "0003_unseen.sql"),
        schema.grant("UPDATE, DELETE", "inbox_unseen"),
    )
