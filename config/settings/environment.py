"""What a deployment's environment says of sign-up, proxies and mail, read in one place.

A value that cannot be meant stops the start with a sentence, rather than being taken for "off".
"""

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any
from urllib.parse import unquote, urlsplit


def signup_is_open(environ: Mapping[str, str], *, default: bool) -> bool:
    """Say whether ``TAWNY_SIGNUP`` lets anybody ask for a provisional key."""
    value = environ.get("TAWNY_SIGNUP", "")
    if value not in {"", "open", "off"}:
        raise ValueError(f"TAWNY_SIGNUP is {value!r}: open or off")
    return default if not value else value == "open"


def open_wisdom(environ: Mapping[str, str]) -> bool:
    """Say whether ``TAWNY_OPEN_WISDOM`` lets anybody read samples of the open lists."""
    value = environ.get("TAWNY_OPEN_WISDOM", "")
    if value not in {"", "on", "off"}:
        raise ValueError(f"TAWNY_OPEN_WISDOM is {value!r}: on or off")
    return value == "on"


def trusted_proxies(environ: Mapping[str, str]) -> list[str]:
    """Return the networks of ``TAWNY_TRUSTED_PROXIES``, whose X-Forwarded-For is believed."""
    named = [each.strip() for each in environ.get("TAWNY_TRUSTED_PROXIES", "").split(",")]
    try:
        return [str(ip_network(each)) for each in named if each]
    except ValueError as error:
        raise ValueError(f"TAWNY_TRUSTED_PROXIES: {error}") from None


def mail(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the settings of ``TAWNY_EMAIL_URL``; None where it is not set.

    ``smtps://USER:PASSWORD@HOST[:465]`` speaks TLS from the start, ``smtp://...[:587]`` after
    STARTTLS; only ``smtp://...?tls=off`` speaks it not at all.
    """
    text = environ.get("TAWNY_EMAIL_URL", "")
    if not text:
        return None
    url = urlsplit(text)
    if url.scheme not in {"smtp", "smtps"} or not url.hostname or url.query not in {"", "tls=off"}:
        raise ValueError("TAWNY_EMAIL_URL is smtp://... or smtps://USER:PASSWORD@HOST:PORT")
    plain = url.query == "tls=off"
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": url.port or (465 if url.scheme == "smtps" else 25 if plain else 587),
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_USE_SSL": url.scheme == "smtps",
        "EMAIL_USE_TLS": url.scheme == "smtp" and not plain,
    }
