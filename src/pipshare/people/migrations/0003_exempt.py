"""Who needs no second factor, although the others of the role do."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """A column with a default of the database's: people are added without Django, too."""

    dependencies = (("people", "0002_keys"),)
    operations = (
        migrations.AddField(
            "user", "factor_exempt", models.BooleanField(default=False, db_default=False)
        ),
    )
