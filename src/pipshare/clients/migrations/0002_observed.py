"""What trade servers say of accounts, and the agents that they pay themselves."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """Observed accounts, native agents: 0002_observed.sql. Bookings depend on the latter."""

    dependencies = (
        ("clients", "0001_initial"),
        ("audit", "0002_changes"),
    )
    operations = (
        schema.run_file(__file__, "0002_observed.sql"),
        schema.watched("clients_agent", "accounts"),
        schema.watched("clients_agent_decision", "accounts"),
    )
