"""Partners, their tree and their clients."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = (("clients", "0001_initial"),)
    operations = (
        schema.run_file(__file__),
        schema.grant("UPDATE (name, own_client_id)", "partners_partner"),
    )
