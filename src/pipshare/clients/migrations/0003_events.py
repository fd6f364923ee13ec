"""Events of clients, those that wait, and whom they touch."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """Facts, and two queues: 0003_events.sql. Bookings depend on the facts."""

    dependencies = (("clients", "0002_observed"),)
    operations = (
        schema.run_file(__file__, "0003_events.sql"),
        schema.grant("UPDATE, DELETE", "clients_event_waiting"),
        schema.grant("UPDATE, DELETE", "clients_touched"),
        schema.watched("clients_event", "events"),
    )
