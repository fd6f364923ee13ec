"""Events that contradict what they name are listed among those that wait."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0009_misfits.sql: three more reasons to wait."""

    dependencies = (("clients", "0008_first_trades"),)
    operations = (schema.run_file(__file__, "0009_misfits.sql"),)
