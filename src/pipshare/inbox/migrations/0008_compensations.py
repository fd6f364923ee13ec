"""Find the platform's compensations of balances below zero among the deals."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0008_compensations.sql."""

    dependencies = (("inbox", "0007_postbacks"),)
    operations = (schema.run_file(__file__, "0008_compensations.sql"),)
