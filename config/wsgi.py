"""The WSGI application that granian serves."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

from django.core.wsgi import get_wsgi_application

from config import celery  # noqa: F401 -- offers of work need the application before the first request

application = get_wsgi_application()
