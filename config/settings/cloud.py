"""Many tenants on managed services. Secrets come from files that the environment names."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from config.beat import analytics as analytics_beat, feeds as feeds_beat
from config.settings import environment, signing
from config.settings.base import *

CELERY_BEAT_SCHEDULE = {**analytics_beat.SCHEDULE, **feeds_beat.SCHEDULE}


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise ValueError(f"{name} is not set; see docs/operating.md")
    return value


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("a database URL starts with postgresql://")
    return postgres(
        NAME=parts.path.lstrip("/"),
        USER=unquote(parts.username or ""),
        PASSWORD=unquote(parts.password or ""),
        HOST=parts.hostname or "",
        PORT=str(parts.port or 5432),
    )


DATABASES = {
    "default": _database(_required("DATABASE_URL")),
    "staff": read_by_staff(_database(_required("STAFF_DATABASE_URL"))),
    "keys": _database(_required("KEYS_DATABASE_URL")),
    "wisdom": _database(_required("WISDOM_DATABASE_URL")),
}
CELERY_BROKER_URL = _required("BROKER_URL")
CACHE_URL = _required("CACHE_URL")
ALLOWED_HOSTS = _required("TAWNY_HOSTS").split(",")
SECRET_KEY: Any
SECRET_KEY_FALLBACKS: list[str] = []
if os.environ.get("SECRET_KEY_FILE"):
    SECRET_KEY = Path(os.environ["SECRET_KEY_FILE"]).read_text("ascii").strip()
else:
    SECRET_KEY = signing.lazy_key()
    SECRET_KEY_FALLBACKS = signing.Older()
KEY_PROVIDER, KEY_PROVIDER_OPTIONS = environment.key_provider(os.environ)
ROOT_KEY_FILE = (
    _required("TAWNY_ROOT_KEY_FILE")
    if KEY_PROVIDER == "file"
    else os.environ.get("TAWNY_ROOT_KEY_FILE", "")
)
PEPPERS = {  # of an older deployment, until `keys secret adopt-peppers` (tenants.keys.peppers)
    version: os.environ[name]
    for version in range(1, 100)
    if (name := f"TAWNY_PEPPER_{version}_FILE") in os.environ
}
SIGNUP_OPEN = environment.signup_is_open(os.environ, default=False)
TRUSTED_PROXIES = environment.trusted_proxies(os.environ)
PUBLIC_URL = os.environ.get("TAWNY_PUBLIC_URL") or f"https://{ALLOWED_HOSTS[0]}"
globals().update(environment.passkeys([PUBLIC_URL, *(f"https://{name}" for name in ALLOWED_HOSTS)]))
DEFAULT_FROM_EMAIL = os.environ.get("TAWNY_EMAIL_FROM", f"Tawny <tawny@{ALLOWED_HOSTS[0]}>")
globals().update(environment.mail(os.environ) or {})  # without it: Django's own, port 25 here
WISDOM_URL = _required("TAWNY_WISDOM_URL")
WISDOM_KEY_FILE = _required("TAWNY_WISDOM_KEY_FILE")
SNAPSHOT_DIR = _required("TAWNY_SNAPSHOT_DIR")
FEEDS_DIR = os.environ.get("TAWNY_FEEDS_DIR", "")
OPEN_WISDOM = environment.open_wisdom(os.environ)
AUDIT_ORIGIN = _required("TAWNY_AUDIT_ORIGIN")
CHECKPOINT_FILE = _required("TAWNY_CHECKPOINT_FILE")
CHECKPOINT_KEY_FILE = os.environ.get("TAWNY_CHECKPOINT_KEY_FILE", "")  # the sequencer's alone
INSTALLED_APPS = [
    "console.apps.CloudConsoleConfig" if app == "console" else app for app in INSTALLED_APPS
]
ROOT_URLCONF = "config.urls.cloud"
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True  # of pages alone: an API that redirects has been sent a key in clear
SECURE_REDIRECT_EXEMPT = [r"^v1/", r"^v2/", r"^healthz$", r"^readyz$"]
