"""The app `console`."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The staff console of a deployment whose shell belongs to the people who use it."""

    name = "console"
    verbose_name = "Staff console"
    default = True
    replaces_shell_mfa = False
    """Whether an authenticator that was made in the shell must be replaced at first sign-in."""

    def ready(self) -> None:
        """Say who staff are, what lies sealed of theirs, and which deeds on them take two."""
        from console import second  # noqa: PLC0415 -- models need the apps
        from console.models import SEED_PURPOSE  # noqa: PLC0415 -- see above
        from tenants.keys import resealing  # noqa: PLC0415 -- see above

        second.register()
        resealing.register(
            resealing.Sealed(
                table="staff_totp",
                column="sealed_seed",
                purpose=SEED_PURPOSE,
                key=("id",),
                context=("user_id", "id"),
            )
        )


class CloudConsoleConfig(ConsoleConfig):
    """The staff console of a cloud deployment: whoever has its shell is not who signs in."""

    default = False
    replaces_shell_mfa = True
