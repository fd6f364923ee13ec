"""What events say of who a client is, and whose."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0005_identity_told.sql."""

    dependencies = (("clients", "0004_milestones"),)
    operations = (schema.run_file(__file__, "0005_identity_told.sql"),)
