from django.db import migrations, models

from tenants.rls import share


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Engine",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200, unique=True)),
                ("key_id", models.CharField(max_length=12, unique=True)),
                ("pepper", models.PositiveSmallIntegerField()),
                ("mac", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "engine",
                "ordering": ("name",),
            },
        ),
        share("engine", app="SELECT, INSERT, UPDATE", database="wisdom"),
    ]
