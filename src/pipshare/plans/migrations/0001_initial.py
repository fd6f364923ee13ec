"""Programmes, their versions and who takes part."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = (("partners", "0001_initial"),)
    operations = (schema.run_file(__file__),)
