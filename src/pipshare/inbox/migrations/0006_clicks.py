"""Clicks on partners' links, and the salts under which their addresses are hashed."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0006_clicks.sql; old salts are forgotten."""

    dependencies = (("inbox", "0005_caught_up"),)
    operations = (
        schema.run_file(__file__, "0006_clicks.sql"),
        schema.grant("DELETE", "inbox_salt"),
    )
