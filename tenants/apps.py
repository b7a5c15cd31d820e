"""The app `tenants`."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Customers, their scope, keys and work."""

    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        """Register checks of keys, what is sealed and exported, and deeds that take two people."""
        from tenants import break_glass, grants  # noqa: PLC0415 -- models need the apps
        from tenants.actions import approved  # noqa: PLC0415 -- see above
        from tenants.exports import own  # noqa: PLC0415 -- see above
        from tenants.keys import checks  # noqa: F401, PLC0415 -- see above

        own.fill()
        approved.register()
        break_glass.grants_by(open_grant=grants.open_grant, revoke_grant=grants.revoke_grant)
        _register_what_is_sealed()


def _register_what_is_sealed() -> None:
    """Name what lies sealed under the deployment's own secret, to be sealed anew when it turns."""
    from tenants import letters  # noqa: PLC0415 -- models need the apps
    from tenants.keys import resealing, secrets  # noqa: PLC0415 -- see above

    resealing.register(
        resealing.Sealed(
            table="letter",
            column="sealed",
            purpose=letters.SYSTEM_KEY,
            key=("id",),
            context=("id",),
        )
    )
    resealing.register(
        resealing.Sealed(
            table="named_secret",
            column="sealed",
            purpose=secrets.PURPOSE,
            key=("name", "version"),
            context=("name", "version"),
            database="keys",
        )
    )
