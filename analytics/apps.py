"""The app `analytics`."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """The Analytics Engine."""

    name = "analytics"
    verbose_name = "Analytics Engine"

    def ready(self) -> None:
        """Register what is exported of a tenant."""
        from analytics.actions import exports  # noqa: PLC0415 -- models need the apps

        exports.fill()
