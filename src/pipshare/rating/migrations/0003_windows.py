"""What more than one trade earns: lines per window, and the windows that are due."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0003_windows.sql."""

    dependencies = (("rating", "0002_summarise"), ("ledger", "0001_initial"))
    operations = (
        schema.run_file(__file__, "0003_windows.sql"),
        schema.grant("UPDATE, DELETE", "rating_due"),
    )
