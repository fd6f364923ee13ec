"""Entities, servers, groups, symbols, quotes and rates."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = ()
    operations = (schema.run_file(__file__),)
