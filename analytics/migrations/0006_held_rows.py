# Rows of a tenant under a legal hold are not deleted, whoever asks. Left out are the tables that only
# help to compute (windows, evaluation days, identities): what they say is in those named here.

from django.db import migrations

from tenants.rls import hold

TABLES = (
    "segment",
    "inbox_part",
    "destination_summary",
    "destination_day",
    "alert",
    "alert_change",
    "ignored_fields",
    "source_sketch",
    "monitoring_groups",
)


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0005_rows_of_deleted_tenants"),
        ("tenants", "0004_rights"),
    ]

    operations = [hold(table) for table in TABLES]
