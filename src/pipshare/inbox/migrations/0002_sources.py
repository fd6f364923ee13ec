"""Sources set up, their cursors and status, alerts, raw records."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """What a live source needs: 0002_sources.sql."""

    dependencies = (("inbox", "0001_initial"),)
    operations = (
        schema.run_file(__file__, "0002_sources.sql"),
        schema.grant("UPDATE", "inbox_source"),
        schema.grant("UPDATE", "inbox_cursor"),
        schema.grant("UPDATE", "inbox_source_status"),
        schema.grant("UPDATE", "inbox_source_lag"),
        schema.grant("UPDATE", "inbox_alert"),
    )
