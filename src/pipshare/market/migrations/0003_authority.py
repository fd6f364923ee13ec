"""The source whose trades book, as it changed."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """A history beside market_server.authority."""

    dependencies = (
        ("market", "0002_observed"),
        ("audit", "0002_changes"),
    )
    operations = (
        schema.run_file(__file__, "0003_authority.sql"),
        schema.watched("market_authority", "market"),
    )
