"""Everything on one machine, from wheels: what ``make run`` starts.

State lies in one folder, ``$TAWNY_HOME``. The launcher writes there which sockets and passwords
its servers have; these settings read it and nothing else.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.beat import analytics as analytics_beat, feeds as feeds_beat
from config.embedded import state
from config.settings import environment, signing
from config.settings.base import *

FIRST_START_STEPS = ["config.first_start_wisdom.make_wisdom_accounts"]
CELERY_BEAT_SCHEDULE = {**analytics_beat.SCHEDULE, **feeds_beat.SCHEDULE}

HOME: Path = state.home()
_keys = HOME / "keys"
_role = os.environ.get("TAWNY_DB_ROLE", "app")
if _role not in {"app", "owner", "staff"}:
    raise ValueError(f"TAWNY_DB_ROLE is {_role!r}: app, owner or staff")


def _database(name: str, user: str = f"tawny_{_role}") -> dict[str, Any]:
    connection = state.connection()
    if connection is None:  # nothing runs: a command that needs no database may still go on
        return postgres(NAME=name, USER=user, HOST=str(HOME / "not-running"))
    return postgres(
        NAME=name,
        USER=user,
        PASSWORD=connection.passwords[user],
        HOST=str(connection.socket_dir),
        PORT=str(connection.port),
    )


DATABASES = {
    "default": _database("tawny"),
    "staff": read_by_staff(_database("tawny", "tawny_staff")),
    "keys": _database("tawny_keys"),
    "wisdom": _database("tawny_wisdom"),
}
_connection = state.connection()
VALKEY_SOCKET = str(_connection.valkey_socket) if _connection else str(HOME / "not-running")
CELERY_BROKER_URL = f"redis+socket://{VALKEY_SOCKET}?virtual_host=0"
CACHE_URL = f"unix://{VALKEY_SOCKET}?db=1"

_scheme = "https" if os.environ.get("TAWNY_TLS_CERT") else "http"
_port = os.environ.get("TAWNY_PORT", "8000")
BASE_URL = state.url() or f"{_scheme}://127.0.0.1:{_port}"
WISDOM_URL = os.environ.get("TAWNY_WISDOM_URL", BASE_URL)
# Asked over loopback, where the certificate's name does not fit: it is trusted as it is.
_certificate = os.environ.get("TAWNY_TLS_CERT", "")
WISDOM_PINNED_CERTIFICATE = "" if "TAWNY_WISDOM_URL" in os.environ else _certificate
WISDOM_KEY_FILE = str(_keys / "wisdom_key")
ROOT_KEY_FILE = os.environ.get("TAWNY_ROOT_KEY_FILE", str(_keys / "root"))
KEY_PROVIDER, KEY_PROVIDER_OPTIONS = environment.key_provider(os.environ)
PEPPERS = {  # of an older home: the next start adopts them (tenants.keys.peppers)
    int(file.name.removeprefix("pepper_")): str(file)
    for file in _keys.glob("pepper_[1-9]*")
    if file.name.removeprefix("pepper_").isdecimal()
}
SECRET_KEY_FILE = str(_keys / "django")  # of an older home: the next start adopts it
SECRET_KEY: Any
SECRET_KEY_FALLBACKS: list[str] = []
if state.connection():
    SECRET_KEY = signing.lazy_key(SECRET_KEY_FILE)
    SECRET_KEY_FALLBACKS = signing.Older()
else:
    SECRET_KEY = os.urandom(48).hex()  # before the first start: it signs nothing that outlives it
SNAPSHOT_DIR = str(HOME / "snapshots")
FEEDS_DIR = str(HOME / "feeds")
OPEN_WISDOM = environment.open_wisdom(os.environ)
_origin = HOME / "origin"
AUDIT_ORIGIN = _origin.read_text("ascii").strip() if _origin.exists() else "tawny.example/embedded"
CHECKPOINT_FILE = str(HOME / "checkpoint")
CHECKPOINT_KEY_FILE = str(_keys / "checkpoint")

ALLOWED_HOSTS = os.environ.get("TAWNY_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
_loopback = os.environ.get("TAWNY_BIND", "127.0.0.1") in {"127.0.0.1", "::1", "localhost"}
if not _loopback:
    ALLOWED_HOSTS.append(os.environ["TAWNY_BIND"])
SIGNUP_OPEN = environment.signup_is_open(os.environ, default=_loopback)
TRUSTED_PROXIES = environment.trusted_proxies(os.environ)
PUBLIC_URL = os.environ.get("TAWNY_PUBLIC_URL") or BASE_URL
globals().update(
    environment.passkeys([PUBLIC_URL, f"{_scheme}://localhost:{urlsplit(BASE_URL).port or _port}"])
)
DEFAULT_FROM_EMAIL = os.environ.get("TAWNY_EMAIL_FROM", DEFAULT_FROM_EMAIL)
# Without a mail server each mail is a file: nothing is lost, and nothing leaves the machine.
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = str(HOME / "mail")
globals().update(environment.mail(os.environ) or {})
if _scheme == "http":  # over loopback; a browser takes no __Host- cookie from there
    SESSION_COOKIE_NAME = "tawny_staff"
    CSRF_COOKIE_NAME = "tawny_csrf"
    SESSION_COOKIE_SECURE = False
    CSRF_COOKIE_SECURE = False
