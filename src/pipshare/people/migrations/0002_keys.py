"""Keys with which machines use the API."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0002_keys.sql; a key may be revoked and its last use noted, nothing else of it changes."""

    dependencies = (("people", "0001_initial"),)
    operations = (
        schema.run_file(__file__, "0002_keys.sql"),
        schema.grant("UPDATE (used_at, revoked_at)", "people_api_key"),
    )
