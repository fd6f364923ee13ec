"""What was claimed of clients, and what became of it."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0002_claims.sql; claims are only added."""

    dependencies = (
        ("attribution", "0001_initial"),
        ("clients", "0003_events"),
    )
    operations = (schema.run_file(__file__, "0002_claims.sql"),)
