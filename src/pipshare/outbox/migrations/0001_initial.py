"""Receivers, what is said to them, and every attempt to say it."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = (("market", "0001_initial"), ("audit", "0002_changes"))
    operations = (
        schema.run_file(__file__),
        schema.grant("UPDATE", "outbox_receiver"),
        schema.grant("UPDATE", "outbox_health"),
        schema.grant("UPDATE", "outbox_secret"),
        schema.grant("DELETE", "outbox_unsent"),
        schema.grant("UPDATE", "outbox_delivery"),
        schema.grant("UPDATE, DELETE", "outbox_request"),
        schema.watched("outbox_receiver", "receivers"),
    )
