"""When a trade was rated: what a day's figures count."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0004_rated_at.sql."""

    dependencies = (("rating", "0003_windows"),)
    operations = (schema.run_file(__file__, "0004_rated_at.sql"),)
