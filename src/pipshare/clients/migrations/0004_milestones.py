"""First executions and what clients reached."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0004_milestones.sql. An earlier execution that comes later takes the place of the known."""

    dependencies = (("clients", "0003_events"),)
    operations = (
        schema.run_file(__file__, "0004_milestones.sql"),
        schema.grant("UPDATE", "clients_execution"),
        schema.grant("DELETE", "clients_execution_due"),
        schema.grant("UPDATE", "clients_milestone"),
    )
