"""Applications, agreements, acceptances; and the persons in them, who can be erased."""

from django.db import migrations

from pipshare.db import schema


class Migration(migrations.Migration):
    """0003_onboarding.sql; only what tells of persons may be removed."""

    dependencies = (("partners", "0002_links"),)
    operations = (
        schema.run_file(__file__, "0003_onboarding.sql"),
        schema.grant("DELETE", "partners_applicant"),
        schema.grant("DELETE", "partners_application_note"),
        schema.grant("DELETE", "partners_acceptance_person"),
    )
