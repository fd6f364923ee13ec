"""Notes of changes may be thrown together: see audit.prune."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """The application deletes notes of changes that a newer one stands for."""

    dependencies = (("audit", "0002_changes"),)
    operations = (schema.grant("DELETE", "audit_change"),)
