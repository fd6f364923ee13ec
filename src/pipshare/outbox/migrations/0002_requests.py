"""Receivers that are called in their own way, and ids from their answers."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0002_requests.sql; what messages and attempts tell of a person can be taken out of them."""

    dependencies = (("outbox", "0001_initial"),)
    operations = (
        schema.run_file(__file__, "0002_requests.sql"),
        schema.grant("UPDATE (crm_id, delivery_id, at)", "outbox_external"),
        schema.grant("UPDATE (data)", "outbox_message"),
        schema.grant("UPDATE (url, body, answer)", "outbox_attempt"),
    )
