"""The application of threat feeds; its rows lie in the database ``wisdom``."""

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    """Feeds and their releases."""

    name = "feeds"
    label = "feeds"
    default_auto_field = "django.db.models.BigAutoField"
