"""Answers to requests with an Idempotency-Key."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0004_requests.sql; answers are forgotten after a while."""

    dependencies = (("inbox", "0003_unseen"),)
    operations = (
        schema.run_file(__file__, "0004_requests.sql"),
        schema.grant("DELETE", "inbox_request"),
    )
