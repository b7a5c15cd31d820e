"""The app's name for Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The audit log: staging, tree, checkpoints."""

    name = "audit"
    verbose_name = "Audit log"
