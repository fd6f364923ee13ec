"""Chains of partners, and trades that wait for one."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = (
        ("trades", "0001_initial"),
        ("partners", "0001_initial"),
    )
    operations = (
        schema.run_file(__file__),
        schema.grant("UPDATE, DELETE", "attribution_waiting"),
    )
