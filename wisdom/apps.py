"""The application of Wisdom; its rows lie in the database ``wisdom``."""

from django.apps import AppConfig


class WisdomConfig(AppConfig):
    """Engines' credentials and the reports they ask for."""

    name = "wisdom"
    label = "wisdom"
    default_auto_field = "django.db.models.BigAutoField"
