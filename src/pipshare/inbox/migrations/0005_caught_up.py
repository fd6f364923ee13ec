"""What came after a gap is told apart from how fresh a source is."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0005_caught_up.sql; the table's rows may be changed since 0002."""

    dependencies = (("inbox", "0004_requests"),)
    operations = (schema.run_file(__file__, "0005_caught_up.sql"),)
