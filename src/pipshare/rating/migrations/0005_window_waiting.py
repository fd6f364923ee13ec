"""What waits in windows and is of no trade."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0005_window_waiting.sql."""

    dependencies = (("rating", "0004_rated_at"),)
    operations = (
        schema.run_file(__file__, "0005_window_waiting.sql"),
        schema.grant("UPDATE, DELETE", "rating_window_waiting"),
    )
