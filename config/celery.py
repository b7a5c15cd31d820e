"""The Celery application. A message names a tenant and a row of work, and nothing else."""

import logging
import os
from typing import Any

from celery import Celery, Task
from celery.signals import worker_init
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

QUEUES = ("ingest", "analyse", "lookups", "feeds", "deliver")

log = logging.getLogger(__name__)


class Patient(Task):  # type: ignore[misc] # celery ships no types
    """A task for which a key that is not available is no failure: what it was to do still waits.

    What waits is a row, never the message, and the sweeper or the beat offers it again.
    """

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run the task."""
        from tenants.errors import KeyUnavailable  # noqa: PLC0415 -- nothing of ours before setup

        try:
            return super().__call__(*arguments, **named)
        except KeyUnavailable as error:
            log.warning("task %s left for later: %s", self.name, type(error).__name__)
            return None


app = Celery("tawny", task_cls=Patient)
app.config_from_object("django.conf:settings", namespace="CELERY")
# The default exchange routes by the queue's name alone. A named one keeps its bindings in the
# broker, where FLUSHALL takes them away and every later message with them.
app.conf.task_default_exchange = ""
app.conf.task_queues = [
    Queue(name, Exchange("", type="direct"), routing_key=name) for name in QUEUES
]
app.conf.task_create_missing_queues = False
app.autodiscover_tasks()
app.conf.imports = ("config.sweeper",)


@worker_init.connect
def _start(**_kwargs: Any) -> None:
    from config import logs, memory  # noqa: PLC0415 -- as the next
    from config.start import refuse_wrong_roles  # noqa: PLC0415 -- models need the apps

    refuse_wrong_roles()
    memory.keep_private()
    logs.hook()
