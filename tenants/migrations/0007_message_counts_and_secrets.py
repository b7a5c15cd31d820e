# Messages counted by data key, versions of the deployment's own secret, named secrets.

from django.db import migrations, models

from tenants.rls import share


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0006_approvals"),
    ]

    operations = [
        migrations.AddField(
            model_name="datakey",
            name="number",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="datakey",
            name="leased",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.RemoveConstraint(model_name="datakey", name="data_key_epoch"),
        migrations.AddConstraint(
            model_name="datakey",
            constraint=models.UniqueConstraint(
                fields=("tenant_id", "series_class", "epoch", "number"), name="data_key_number"
            ),
        ),
        migrations.RunSQL(
            sql="GRANT UPDATE ON data_key TO tawny_app;",
            reverse_sql="REVOKE UPDATE ON data_key FROM tawny_app;",
            hints={"database": "default"},
        ),
        migrations.AddField(
            model_name="systemkey",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="systemkey",
            name="state",
            field=models.CharField(
                choices=[("decrypt", "Decrypt"), ("primary", "Primary")],
                db_default="primary",
                default="primary",
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="systemkey", name="primary_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="systemkey", name="resealed_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddConstraint(
            model_name="systemkey",
            constraint=models.UniqueConstraint(fields=("version",), name="system_key_version"),
        ),
        migrations.AddConstraint(
            model_name="systemkey",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "primary")),
                fields=("state",),
                name="system_key_one_primary",
            ),
        ),
        migrations.AddConstraint(
            model_name="systemkey",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["decrypt", "primary"])),
                name="system_key_state_known",
            ),
        ),
        migrations.CreateModel(
            name="NamedSecret",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "name",
                        "version",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("version", models.PositiveIntegerField()),
                ("sealed", models.BinaryField()),
                ("created_at", models.DateTimeField()),
            ],
            options={"db_table": "named_secret"},
        ),
        share("named_secret", app="SELECT, INSERT, UPDATE, DELETE", database="keys"),
    ]
