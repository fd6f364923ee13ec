"""Which kinds of reference data each transaction changed."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """What `schema.watched` builds on."""

    dependencies = (("audit", "0001_initial"),)
    operations = (schema.run_file(__file__, "0002_changes.sql"),)
