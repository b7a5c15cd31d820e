"""What a deployment's environment says of sign-up, proxies and mail, read in one place.

A value that cannot be meant stops the start with a sentence, rather than being taken for "off".
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

_NAME = re.compile(r"(?=.*[a-z])[a-z0-9-]+(\.[a-z0-9-]+)*")
"""A host's name, which no IPv4 or IPv6 address is."""


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


def staff_mfa(environ: Mapping[str, str]) -> str:
    """Return which second factors of staff ``TAWNY_STAFF_MFA`` lets open the console."""
    value = environ.get("TAWNY_STAFF_MFA", "totp")
    if value not in {"totp", "phishing_resistant"}:
        raise ValueError(f"TAWNY_STAFF_MFA is {value!r}: totp or phishing_resistant")
    return value


def passkeys(urls: Iterable[str]) -> dict[str, Any]:
    """Return for which name passkeys are made, and at which of a deployment's `urls` they work.

    A passkey belongs to a name, never to an address, and a browser uses one over TLS or on
    ``localhost`` alone: the first of `urls` that is so gives the name. Where none is, passkeys are
    made for ``localhost``, and the console's pages say so.
    """
    named = [url for each in urls if _has_passkeys(url := urlsplit(each))]
    name = str(named[0].hostname) if named else "localhost"
    origins = {
        f"{url.scheme}://{url.netloc}": None
        for url in named
        if url.hostname == name or str(url.hostname).endswith(f".{name}")
    }
    return {
        "OTP_WEBAUTHN_RP_ID": name,
        "OTP_WEBAUTHN_ALLOWED_ORIGINS": list(origins) or ["http://localhost:8000"],
    }


def _has_passkeys(url: SplitResult) -> bool:
    name = url.hostname or ""
    if name == "localhost":
        return url.scheme in {"http", "https"}
    return url.scheme == "https" and _NAME.fullmatch(name) is not None


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


KEY_SERVICES: dict[str, dict[str, str]] = {
    "vault_transit": {
        "address": "TAWNY_VAULT_ADDRESS",
        "mount": "TAWNY_VAULT_MOUNT",
        "key": "TAWNY_VAULT_KEY",
        "token_file": "TAWNY_VAULT_TOKEN_FILE",
    },
    "aws_kms": {
        "region": "TAWNY_KMS_REGION",
        "keys": "TAWNY_KMS_KEYS",
        "credentials_file": "TAWNY_KMS_CREDENTIALS_FILE",
        "address": "TAWNY_KMS_ADDRESS",
    },
}
"""Which variable gives each option of a key service; a service is configured when its key is."""


def key_provider(environ: Mapping[str, str]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return ``KEY_PROVIDER`` and the options of every key service that the environment names.

    A root key's own bytes in the environment stop the start: there they are in every process list,
    crash report and child.
    """
    if "TAWNY_ROOT_KEY" in environ:
        raise ValueError("TAWNY_ROOT_KEY holds a key; a root key comes from TAWNY_ROOT_KEY_FILE")
    provider = environ.get("TAWNY_KEY_PROVIDER", "file")
    if provider not in {"file", *KEY_SERVICES}:
        raise ValueError(f"TAWNY_KEY_PROVIDER is {provider!r}: file, vault_transit or aws_kms")
    found: dict[str, dict[str, Any]] = {}
    for name, variables in KEY_SERVICES.items():
        values: dict[str, Any] = {
            option: environ[each] for option, each in variables.items() if environ.get(each)
        }
        if not values and provider != name:
            continue
        if name == "vault_transit":
            values.setdefault("mount", "transit")
        elif "region" in values:
            values.setdefault("address", f"https://kms.{values['region']}.amazonaws.com")
        if missing := [each for option, each in variables.items() if option not in values]:
            raise ValueError(f"{name} needs {', '.join(missing)}")
        url = urlsplit(values["address"])
        if url.scheme != "https" and url.hostname not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError(f"{variables['address']} is asked for keys, and so over https://")
        if name == "aws_kms":
            values["keys"] = tuple(values["keys"].split(","))
        found[name] = values
    return provider, found
