"""The table of counted attempts, and what the application may change beside it."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0001_cache.sql, and rights on the tables of sessions, people and second factors."""

    initial = True
    dependencies = (
        ("people", "0001_initial"),
        ("sessions", "0001_initial"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("mfa", "0003_authenticator_type_uniq"),
    )
    operations = (
        schema.run_file(__file__, "0001_cache.sql"),
        schema.grant("UPDATE, DELETE", "web_cache"),
        schema.grant("UPDATE, DELETE", "django_session"),
        schema.grant("UPDATE, DELETE", "mfa_authenticator"),
        schema.grant("UPDATE", "people_user"),
    )
