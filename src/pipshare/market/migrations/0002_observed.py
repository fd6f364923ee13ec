"""Groups and symbols as trade servers have them."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0002_observed.sql. Bookings depend on none of it but market_symbol, which is watched."""

    dependencies = (("market", "0001_initial"),)
    operations = (schema.run_file(__file__, "0002_observed.sql"),)
