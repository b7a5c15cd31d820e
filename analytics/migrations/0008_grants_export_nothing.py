# The policies of staff without the scopes export and research, which no grant has any more.

from django.db import migrations

from tenants.rls import reopen_to_grants

ALERTS = ("alert", "alert_change", "alert_sequence")
SERIES = (
    "segment",
    "series_window",
    "stream",
    "evaluation_day",
    "source_sketch",
    "destination_summary",
    "destination_day",
)


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0007_staff_policies"),
    ]

    operations = [
        *(
            reopen_to_grants(table, before=("alerts", "export"), scopes=("alerts",))
            for table in ALERTS
        ),
        *(
            reopen_to_grants(table, before=("series", "export", "research"), scopes=("series",))
            for table in SERIES
        ),
        reopen_to_grants(
            "monitoring_groups", before=("alerts", "series", "export"), scopes=("alerts", "series")
        ),
        reopen_to_grants("ignored_fields", before=("series", "export"), scopes=("series",)),
    ]
