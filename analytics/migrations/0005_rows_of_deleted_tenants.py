# A deleted tenant leaves no row: the two tables that the application could not delete from.

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0004_groups_and_destinations"),
    ]

    operations = [
        migrations.RunSQL(
            sql="GRANT DELETE ON stream, alert_sequence TO tawny_app;",
            reverse_sql="REVOKE DELETE ON stream, alert_sequence FROM tawny_app;",
            hints={"database": "default"},
        ),
    ]
