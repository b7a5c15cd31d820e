"""The app `tenants`."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Customers, their scope, keys and work."""

    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        """Register checks of keys, what is exported, and the deeds that take two people."""
        from tenants import break_glass, grants  # noqa: PLC0415 -- models need the apps
        from tenants.actions import approved  # noqa: PLC0415 -- see above
        from tenants.exports import own  # noqa: PLC0415 -- see above
        from tenants.keys import checks  # noqa: F401, PLC0415 -- see above

        own.fill()
        approved.register()
        break_glass.grants_by(open_grant=grants.open_grant, revoke_grant=grants.revoke_grant)
