"""What every deployment shares. Nothing here reads a secret or names a machine."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONCE

from config.settings import environment
from config.settings.limits import LIMITS as LIMITS  # noqa: PLC0414 -- a setting, exported

REPOSITORY = Path(__file__).resolve().parents[2]

DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "config.urls.embedded"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False  # an existing client follows no redirect, and an API answers none
PREPEND_WWW = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "django_otp",
    "rest_framework",
    "config",
    "audit",
    "tenants",
    "feeds",
    "wisdom",
    "analytics",
    "console",
    "django_otp_webauthn",  # after the console: its models ask for Staff as they are imported
]
MIDDLEWARE = ["config.middleware.ByDoor"]  # which chooses one of these two by the path
API_MIDDLEWARE = [
    "config.witness.Witness",  # outermost: it sees how a request ended
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "console.gate.StaffGate",  # a page of the console mounted here would stay closed
]
PAGE_MIDDLEWARE = [
    "config.witness.Witness",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "console.gate.StaffGate",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# -- databases: each deployment fills the connection in; the router decides which holds what
DATABASE_ROUTERS = ["config.routers.ByPurpose"]


def postgres(**connection: Any) -> dict[str, Any]:
    """Describe one PostgreSQL database as the product needs it."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "ATOMIC_REQUESTS": False,  # tenants.scope opens the transaction that carries the tenant
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # A forgotten transaction anywhere would hold back the sequencer's snapshot.
            "options": "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=15000",
        },
        **connection,
    }


def read_by_staff(connection: dict[str, Any]) -> dict[str, Any]:
    """Describe the alias ``staff``: the main database as ``tawny_staff``, which only reads.

    Closed with each request, because few requests need it; `tenants.scope` says the rest.
    """
    options = connection["OPTIONS"]
    extra = "-c default_transaction_read_only=on -c statement_timeout=60000"
    return {
        **connection,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {**options, "options": f"{options['options']} {extra}"},
    }


# -- staff
AUTH_USER_MODEL = "console.Staff"
LOGIN_URL = "console:login"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "console.passwords.NotOfContextAlone"},
]
OTP_TOTP_ISSUER = "Tawny"
STAFF_MFA = environment.staff_mfa(os.environ)
OTP_WEBAUTHN_CREDENTIAL_MODEL = "console.Passkey"
OTP_WEBAUTHN_HELPER_CLASS = "console.ceremonies.Ceremony"
OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False  # a passkey comes after the password: docs/adr/0020
OTP_WEBAUTHN_RP_NAME = "Tawny"
OTP_WEBAUTHN_RP_ID = "localhost"
OTP_WEBAUTHN_ALLOWED_ORIGINS: list[str] = []
OTP_WEBAUTHN_TIMEOUT_SECONDS = 300
SESSION_ENGINE = "console.hashed_sessions"  # a copy of the database holds no live session's key
SESSION_COOKIE_NAME = "__Host-tawny_staff"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_SERIALIZER = "django.contrib.sessions.serializers.JSONSerializer"
CSRF_COOKIE_NAME = "__Host-tawny_csrf"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "console.errors.csrf_refused"
STAFF_IDLE_MINUTES = 15  # NIST SP 800-63B-4, AAL3
STAFF_ABSOLUTE_HOURS = 12

# -- browsers
# Django looks for three middlewares in MIDDLEWARE, which holds the one that chooses between two
# chains: tawny.E011 looks into both.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "no-referrer"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "style-src": ["'self'"],
        "script-src": ["'self'", NONCE],  # the nonce of the answer, where a page has scripts
        "connect-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    },
}
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # no collect step: the console has a handful of small files
WHITENOISE_AUTOREFRESH = False

# -- request bodies: the ingest view reads its own stream under its own cap (contracts)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20
FILE_UPLOAD_HANDLERS: list[str] = []

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.auth.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["tenants.auth.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["tenants.limits.Throttle"],
    "DEFAULT_RENDERER_CLASSES": ["tenants.renderers.StructRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "EXCEPTION_HANDLER": "tenants.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

# -- work
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = False  # a message is a hint: the Work row's lease is what may not be lost
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 270
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False  # ingest never waits for a broker; the sweeper offers again
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TASK_DEFAULT_QUEUE = "ingest"

WORK_TASKS = {
    "ingest": "analytics.ingest",
    "analyse": "analytics.analyse",
    "lookups": "analytics.analyse",
}
"""Which task takes up the work of a queue; the sequencer's queue has none."""

# -- the deployment's own names and numbers, each documented where it is used
ROOT_KEY_FILE: str = ""
KEY_PROVIDER = "file"  # or vault_transit, aws_kms: docs/key-management.md
KEY_PROVIDER_OPTIONS: dict[str, dict[str, Any]] = {}
PEPPERS: dict[int, str] = {}
SIGNUP_OPEN = False
TRUSTED_PROXIES: list[str] = []
PUBLIC_URL = ""
DEFAULT_FROM_EMAIL = "Tawny <tawny@localhost>"
EMAIL_TIMEOUT = 10  # seconds that a mail server may take to answer
FIRST_START_STEPS: list[str] = []
WISDOM_URL = ""
WISDOM_PINNED_CERTIFICATE = ""
FEEDS_DIR = ""
WISDOM_KEY_FILE = ""
SNAPSHOT_DIR = ""
OPEN_WISDOM = False  # whether anybody may read samples of the lists that may be passed on
AUDIT_ORIGIN = ""
CHECKPOINT_FILE = ""
CHECKPOINT_KEY_FILE = ""
# Where else each signed checkpoint goes: file:/PATH, syslog:/SOCKET, syslog://HOST:PORT
CHECKPOINT_PLACES = os.environ.get("TAWNY_CHECKPOINT_PLACES", "").replace(",", " ").split()
AUDIT_ARCHIVE = os.environ.get("TAWNY_AUDIT_ARCHIVE", "")  # where retired epochs are written to
HOME_NETWORKS: list[str] = []
FINDINGS_TIME = "s" if os.environ.get("TAWNY_FINDINGS_TIME") == "s" else "ms"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "config.logs.line_formatter"}},
    "filters": {"scrub": {"()": "config.logs.Scrub"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["scrub"]},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django.db.backends": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
    },
}
LOGGING_CONFIG = "logging.config.dictConfig"
