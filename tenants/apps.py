"""The app `tenants`."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Customers, their scope, keys and work."""

    name = "tenants"
    verbose_name = "Tenants"
