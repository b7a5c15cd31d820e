"""The test suite's: the embedded servers in a throwaway folder, started by ``tests/conftest.py``.

The suite serves and reads as ``tawny_app``, so that row-level security holds in every test as it
does in service.
"""

import atexit
import os
import shutil
import tempfile

# Never a home that somebody exported: the suite's servers give up durability, and go away.
os.environ["TAWNY_HOME"] = tempfile.mkdtemp(prefix="tawny-test-")
atexit.register(shutil.rmtree, os.environ["TAWNY_HOME"], ignore_errors=True)

from config.settings.embedded import *

SECRET_KEY = "test" * 16
SECRET_KEY_FALLBACKS = []
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # speed; embedded has Argon2
AUDIT_ORIGIN = "tawny.example/test"
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_URL = "memory://"
