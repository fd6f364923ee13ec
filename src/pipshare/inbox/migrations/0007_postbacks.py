"""Trackers who post back to us, what they sent, and what became of it."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0007_postbacks.sql; what waits to be settled is a queue of rows added and removed."""

    dependencies = (("inbox", "0006_clicks"),)
    operations = (
        schema.run_file(__file__, "0007_postbacks.sql"),
        schema.grant("UPDATE", "inbox_tracker"),
        schema.grant("DELETE", "inbox_postback_due"),
    )
