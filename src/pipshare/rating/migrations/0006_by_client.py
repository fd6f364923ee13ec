"""Lines of a client's life are found by the client."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0006_by_client.sql."""

    dependencies = (("rating", "0005_window_waiting"),)
    operations = (schema.run_file(__file__, "0006_by_client.sql"),)
