"""Connections to CRMs, the payloads that came through them, and what became of each item."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0009_crm.sql; what is due or waits is a queue, raw bodies may be pruned."""

    dependencies = (("inbox", "0008_compensations"),)
    operations = (
        schema.run_file(__file__, "0009_crm.sql"),
        schema.grant("UPDATE", "inbox_endpoint"),
        schema.grant("UPDATE", "inbox_endpoint_secret"),
        schema.grant("UPDATE", "inbox_endpoint_status"),
        schema.grant("DELETE", "inbox_payload_body"),
        schema.grant("DELETE", "inbox_payload_due"),
        schema.grant("DELETE", "inbox_payload_waiting"),
    )
