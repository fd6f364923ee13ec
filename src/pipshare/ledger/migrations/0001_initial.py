"""Accounts, transfers and legs."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = (
        ("market", "0001_initial"),
        ("rating", "0001_initial"),
    )
    operations = (schema.run_file(__file__),)
