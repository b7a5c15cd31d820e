# No grant exports anything: whole tenants and research leave by the operator's command alone, and
# staff read neither members nor use.

from django.db import migrations

from tenants.rls import reopen_to_grants


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0008_answered_requests"),
    ]

    operations = [
        reopen_to_grants(
            "data_key",
            before=("alerts", "series", "export", "research"),
            scopes=("alerts", "series"),
        ),
        reopen_to_grants("member", before=("export",), scopes=()),
        reopen_to_grants("usage_day", before=("export",), scopes=()),
    ]
