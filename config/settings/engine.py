"""The Analytics Engine alone, on premises: no feeds, no Wisdom, no database of theirs.

It asks a Wisdom in the cloud over TLS. Without ``DATABASE_URL`` it runs on the embedded servers.
"""

import os

from config.beat import analytics as analytics_beat
from config.settings import environment

if os.environ.get("DATABASE_URL"):
    os.environ.setdefault("WISDOM_DATABASE_URL", os.environ["DATABASE_URL"])
    os.environ.setdefault("TAWNY_SNAPSHOT_DIR", "unused")
    from config.settings.cloud import *
else:
    from config.settings.embedded import *

FIRST_START_STEPS = []
WISDOM_PINNED_CERTIFICATE = ""
CELERY_BEAT_SCHEDULE = {**analytics_beat.SCHEDULE}
INSTALLED_APPS = [app for app in INSTALLED_APPS if app not in {"feeds", "wisdom"}]
DATABASES = {alias: each for alias, each in DATABASES.items() if alias != "wisdom"}
ROOT_URLCONF = "config.urls.engine"
WISDOM_URL = os.environ.get("TAWNY_WISDOM_URL", "")
SNAPSHOT_DIR = ""
SIGNUP_OPEN = environment.signup_is_open(os.environ, default=False)
