"""The app `tenants`."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Customers, their scope, keys and work."""

    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        """Register the checks of keys and what is exported."""
        from tenants.exports import own  # noqa: PLC0415 -- see above
        from tenants.keys import checks  # noqa: F401, PLC0415 -- models need the apps

        own.fill()
