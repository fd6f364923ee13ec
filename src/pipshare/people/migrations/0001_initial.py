"""The people who sign in."""

import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Lower

_ROLES = (
    ("admin", "Administrator"),
    ("finance", "Finance"),
    ("partner_manager", "Partner manager"),
    ("compliance", "Compliance"),
    ("metatrader", "MetaTrader"),
    ("auditor", "Auditor"),
    ("partner", "Partner"),
)


class Migration(migrations.Migration):
    """The first table: people_user. What the application may change in it: web's 0001."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                (
                    "last_login",
                    models.DateTimeField(blank=True, null=True, verbose_name="last login"),
                ),
                ("email", models.EmailField(max_length=254, verbose_name="e-mail address")),
                ("name", models.CharField(blank=True, max_length=200)),
                ("role", models.CharField(choices=_ROLES, max_length=30)),
                ("partner_code", models.CharField(blank=True, max_length=100)),
                ("is_active", models.BooleanField(default=True)),
                ("must_change_password", models.BooleanField(default=False)),
                ("added_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(Lower("email"), name="people_user_email"),
                    models.CheckConstraint(
                        condition=models.Q(role="partner") ^ models.Q(partner_code=""),
                        name="people_user_partner",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(role__in=sorted(code for code, _ in _ROLES)),
                        name="people_user_role",
                    ),
                ]
            },
        ),
    )
