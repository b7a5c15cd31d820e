"""The commands and checks that span packages."""

from django.apps import AppConfig


class ComposedConfig(AppConfig):
    """Registers the deployment checks, which are numbered ``tawny.E001`` and on.

    It makes the Celery application too, so that whatever process offers work has the right broker.
    """

    name = "config"
    label = "composed"

    def ready(self) -> None:
        """Register the checks, make the Celery application, send structured lines to the log."""
        from config import celery, chains, checks, logs  # noqa: F401, PLC0415 -- once the apps are ready
        from config.audit_pack import register_holds, register_sources  # noqa: PLC0415 -- as above

        logs.configure()
        register_sources()
        register_holds()
