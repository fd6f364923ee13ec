"""Blocked countries, and what is said before documents expire."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0007_jurisdictions.sql. Bookings depend on the countries."""

    dependencies = (("clients", "0006_identity"),)
    operations = (
        schema.run_file(__file__, "0007_jurisdictions.sql"),
        schema.watched("clients_jurisdiction", "jurisdictions"),
    )
