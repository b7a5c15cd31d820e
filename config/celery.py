"""The Celery application. A message names a tenant and a row of work, and nothing else."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from kombu import Exchange, Queue

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

QUEUES = ("ingest", "analyse", "lookups", "feeds", "deliver")

app = Celery("tawny")
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
    from config.start import refuse_wrong_roles  # noqa: PLC0415 -- models need the apps

    refuse_wrong_roles()
