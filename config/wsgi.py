"""The WSGI application that granian serves."""

import gc
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

from django.core.wsgi import get_wsgi_application

from config import celery, logs, memory  # noqa: F401 -- offers of work need the application before the first request

application = get_wsgi_application()

from config.start import refuse_wrong_roles  # noqa: E402 -- models need the apps

refuse_wrong_roles()
memory.keep_private()
logs.hook()

# Everything loaded so far lives as long as the process: keep the collector from walking it whenever
# a batch allocates a few thousand events (measured: decoding takes half the time).
gc.collect()
gc.freeze()
