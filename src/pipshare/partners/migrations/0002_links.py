"""Links, landing pages, codes typed at registration, and settings of tracking."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0002_links.sql; what is no longer wanted is archived, nothing else of it changes."""

    dependencies = (("partners", "0001_initial"),)
    operations = (
        schema.run_file(__file__, "0002_links.sql"),
        schema.grant("UPDATE (state, is_default)", "partners_landing"),
        schema.grant("UPDATE (state)", "partners_link"),
        schema.grant("UPDATE (state)", "partners_typed_code"),
    )
