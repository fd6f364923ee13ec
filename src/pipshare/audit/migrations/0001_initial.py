"""The audit trail and what waits for a second person."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = ()
    operations = (
        schema.run_file(__file__),
        schema.grant("UPDATE", "audit_proposal"),
    )
