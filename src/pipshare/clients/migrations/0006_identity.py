"""Merged clients, what became of words on who somebody is, and which source counts."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0006_identity.sql. Bookings depend on merges and on whose events count."""

    dependencies = (("clients", "0005_identity_told"),)
    operations = (
        schema.run_file(__file__, "0006_identity.sql"),
        schema.grant("UPDATE", "clients_identity"),
        schema.watched("clients_merge", "accounts"),
        schema.watched("clients_authority", "events"),
    )
