# Plans, members, mails, use. Every new column has a default, so that the older code still runs.

from django.db import migrations, models

from tenants.rls import isolate, share


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AttemptWindow",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tag",
                        "seconds",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tag", models.BinaryField(max_length=16)),
                ("seconds", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField()),
            ],
            options={
                "db_table": "attempt_window",
            },
        ),
        migrations.CreateModel(
            name="Letter",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("sealed", models.BinaryField()),
                ("due_at", models.DateTimeField()),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "letter",
            },
        ),
        migrations.CreateModel(
            name="Link",
            fields=[
                ("mac", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("sealed", models.BinaryField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "mail_link",
            },
        ),
        migrations.CreateModel(
            name="Member",
            fields=[
                ("tenant_id", models.UUIDField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("id", models.UUIDField()),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("member", "Member")], max_length=8
                    ),
                ),
                ("mail_index", models.BinaryField(max_length=16)),
                ("mail_tag", models.BinaryField(max_length=16, null=True)),
                ("sealed", models.BinaryField()),
                ("created_at", models.DateTimeField()),
                ("verified_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "member",
            },
        ),
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                ("tenant_id", models.UUIDField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "day",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("events", models.BigIntegerField()),
                ("requests", models.BigIntegerField()),
                ("octets", models.BigIntegerField()),
            ],
            options={
                "db_table": "usage_day",
            },
        ),
        migrations.AddField(
            model_name="keyindex",
            name="last_used_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="keyindex",
            name="networks",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.AddField(
            model_name="tenant",
            name="expires_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="tenant",
            name="expiry_noted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="tenant",
            name="plan",
            field=models.CharField(
                choices=[("provisional", "provisional"), ("full", "full")],
                db_default="full",
                default="full",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="registered_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("plan__in", ["provisional", "full"])), name="tenant_plan_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("plan", "provisional"), _negated=True),
                    ("expires_at__isnull", False),
                    _connector="OR",
                ),
                name="tenant_provisional_ends",
            ),
        ),
        migrations.AddIndex(
            model_name="attemptwindow",
            index=models.Index(fields=["started_at"], name="attempt_window_age"),
        ),
        migrations.AddIndex(
            model_name="letter",
            index=models.Index(fields=["due_at"], name="letter_due"),
        ),
        migrations.AddIndex(
            model_name="link",
            index=models.Index(fields=["expires_at"], name="mail_link_age"),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                condition=models.Q(("mail_tag__isnull", False)),
                fields=["mail_tag"],
                name="member_mail_tag",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.UniqueConstraint(
                fields=("tenant_id", "mail_index"), name="member_mail"
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["owner", "member"])), name="member_role_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("mail_tag", None), ("verified_at__isnull", False), _connector="OR"
                ),
                name="member_tag_is_proven",
            ),
        ),
        # A second way to a member's row, for who has lost the key and so has no tenant: the row
        # shows to a transaction that names the keyed hash of its proven address (docs/adr/0010).
        migrations.RunSQL(
            sql="""
                CREATE POLICY member_by_mail ON member FOR SELECT TO tawny_app
                    USING (mail_tag = decode(
                        nullif(current_setting('app.mail_tag', true), ''), 'hex'));
            """,
            reverse_sql="DROP POLICY member_by_mail ON member;",
            hints={"database": "default"},
        ),
        isolate("member", app="SELECT, INSERT, UPDATE, DELETE"),
        isolate("usage_day", app="SELECT, INSERT, UPDATE, DELETE"),
        share("letter", app="SELECT, INSERT, UPDATE, DELETE"),
        share("mail_link", app="SELECT, INSERT, DELETE"),
        share("attempt_window", app="SELECT, INSERT, UPDATE, DELETE"),
    ]
