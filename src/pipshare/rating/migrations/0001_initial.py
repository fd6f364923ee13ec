"""What each rating posted, and what waits."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The first schema: 0001_schema.sql."""

    initial = True
    dependencies = (
        ("attribution", "0001_initial"),
        ("plans", "0001_initial"),
    )
    operations = (
        schema.run_file(__file__),
        schema.grant("UPDATE, DELETE", "rating_waiting"),
        schema.grant("UPDATE, DELETE", "rating_request"),
    )
