# What staff read of a tenant under a grant, by its scopes. Accepted batches as they were sent
# (inbox_part) and the identities of events (identity_run) are opened by none.

from django.db import migrations

from tenants.rls import open_to_grants

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
        ("analytics", "0006_held_rows"),
        ("tenants", "0005_access_grants"),
    ]

    operations = [
        *(open_to_grants(table, scopes=("alerts", "export")) for table in ALERTS),
        *(open_to_grants(table, scopes=("series", "export", "research")) for table in SERIES),
        open_to_grants("monitoring_groups", scopes=("alerts", "series", "export")),
        open_to_grants("ignored_fields", scopes=("series", "export")),
    ]
