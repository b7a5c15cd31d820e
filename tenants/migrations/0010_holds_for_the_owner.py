# The owner takes away epochs of the audit log, and must see whose entries are under a legal hold.

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0009_grants_export_nothing"),
    ]

    operations = [
        migrations.RunSQL(
            sql="CREATE POLICY legal_hold_of_owner ON legal_hold FOR SELECT TO tawny_owner"
            " USING (released_at IS NULL);",
            reverse_sql="DROP POLICY legal_hold_of_owner ON legal_hold;",
            hints={"database": "default"},
        ),
    ]
