"""The app `analytics`."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """The Analytics Engine."""

    name = "analytics"
    verbose_name = "Analytics Engine"
