# Passkeys of staff, the challenges that wait for one, and when a person's passkeys last changed.
#
# A passkey's row is a public key. The package's own table of passkeys stays empty; the role that
# serves may look, because django-otp does.

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def grant(table: str, app: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        sql=f"""
            GRANT {app} ON {table} TO tawny_app;
            GRANT SELECT ON {table} TO tawny_backup;
        """,
        reverse_sql=f"REVOKE ALL ON {table} FROM tawny_app, tawny_backup;",
        hints={"database": "default"},
    )


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0002_recovery_invites_and_sign_ins"),
        ("django_otp_webauthn", "0004_webauthnuserhandle"),
    ]

    operations = [
        migrations.AddField(
            model_name="staff",
            name="passkeys_changed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="Passkey",
            fields=[
                (
                    "name",
                    models.CharField(
                        help_text="The human-readable name of this device.", max_length=64
                    ),
                ),
                (
                    "confirmed",
                    models.BooleanField(default=True, help_text="Is this device ready for use?"),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        auto_now_add=True,
                        help_text="The date and time when this device was initially created in the system.",
                        null=True,
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="The most recent date and time this device was used.",
                        null=True,
                    ),
                ),
                (
                    "credential_type",
                    models.CharField(
                        choices=[("public-key", "Public Key")],
                        default="public-key",
                        editable=False,
                        max_length=32,
                        verbose_name="credential type",
                    ),
                ),
                (
                    "credential_id",
                    models.BinaryField(max_length=1023, verbose_name="credential id data"),
                ),
                (
                    "public_key",
                    models.BinaryField(max_length=1023, verbose_name="COSE public key data"),
                ),
                (
                    "transports",
                    models.JSONField(default=list, editable=False, verbose_name="transports"),
                ),
                (
                    "sign_count",
                    models.PositiveIntegerField(
                        default=0, editable=False, verbose_name="sign count"
                    ),
                ),
                (
                    "backup_eligible",
                    models.BooleanField(
                        default=False, editable=False, verbose_name="backup eligible"
                    ),
                ),
                (
                    "backup_state",
                    models.BooleanField(default=False, editable=False, verbose_name="backup state"),
                ),
                (
                    "aaguid",
                    models.CharField(editable=False, max_length=36, verbose_name="AAGUID"),
                ),
                (
                    "credential_id_sha256",
                    models.CharField(
                        editable=False,
                        max_length=64,
                        unique=True,
                        verbose_name="hashed credential id",
                    ),
                ),
                (
                    "discoverable",
                    models.BooleanField(
                        default=None, editable=False, null=True, verbose_name="discoverable"
                    ),
                ),
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The user that this device belongs to.",
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"db_table": "staff_passkey"},
        ),
        migrations.CreateModel(
            name="PasskeyChallenge",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "db_table": "staff_passkey_challenge",
                "indexes": [
                    models.Index(fields=["expires_at"], name="staff_passkey_challenge_age")
                ],
            },
        ),
        grant("staff_passkey", "SELECT, INSERT, UPDATE, DELETE"),
        grant("staff_passkey_challenge", "SELECT, INSERT, UPDATE, DELETE"),
        grant("django_otp_webauthn_webauthncredential", "SELECT"),
    ]
