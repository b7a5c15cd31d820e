"""Both chains of middleware, and what browsers are told, as numbered system checks.

=============  ====================================================================================
``tawny.E011``  a chain lacks a middleware that it must have
``tawny.E012``  a browser is told too little: HSTS, secure cookies, the policy of contents
``tawny.E013``  a ``SECRET_KEY`` that is too short
``tawny.W014``  a proxy's word for TLS is taken from anybody: no ``TRUSTED_PROXIES``
=============  ====================================================================================

Django asks the same of ``MIDDLEWARE``, which here holds one entry that chooses the chain; its three
warnings are silenced in the settings, and these stand in their place.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning as Caution, register

OF_PAGES = (
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "console.gate.StaffGate",
)
OF_API = (
    "django.middleware.security.SecurityMiddleware",
    "console.gate.StaffGate",
)
HSTS_SECONDS = 31_536_000
"""A year: ASVS 3.4.1, and what browsers' preload lists ask for."""
SECRET_CHARACTERS = 50
"""Django's own bound (security.W009): 300 bits of its usual alphabet."""
PREFIX = "__Host-"
"""A cookie so named comes over TLS, for this host alone and all of its paths (ASVS 3.3.3)."""


@register(Tags.security)
def chains_are_whole(**_kwargs: Any) -> list[CheckMessage]:
    """Check that pages and API pass what protects them, whichever chain chose the path."""
    chains = (
        ("PAGE_MIDDLEWARE", settings.PAGE_MIDDLEWARE, OF_PAGES),
        ("API_MIDDLEWARE", settings.API_MIDDLEWARE, OF_API),
    )
    return [
        Error(f"{name} lacks {each}", id="tawny.E011")
        for name, chain, needed in chains
        for each in needed
        if each not in chain
    ]


@register(Tags.security, deploy=True)
def browsers_are_told(**_kwargs: Any) -> list[CheckMessage]:
    """Check what a deployment with TLS tells browsers."""
    untold = [text for wrong, text in (*_of_transport(), *_of_cookies(), *_of_contents()) if wrong]
    return [Error(each, id="tawny.E012") for each in untold]


Judged = Iterator[tuple[bool, str]]
"""Whether something is wrong, and its words."""


def _of_transport() -> Judged:
    short = settings.SECURE_HSTS_SECONDS < HSTS_SECONDS
    yield (
        short or not settings.SECURE_HSTS_INCLUDE_SUBDOMAINS,
        f"SECURE_HSTS_SECONDS is below {HSTS_SECONDS}, or not for subdomains",
    )
    yield (
        not settings.SECURE_SSL_REDIRECT,
        "SECURE_SSL_REDIRECT is off: a page asked for without TLS is answered so",
    )


def _of_cookies() -> Judged:
    for kind in ("SESSION", "CSRF"):
        name = f"{kind}_COOKIE_NAME"
        yield not getattr(settings, name).startswith(PREFIX), f"{name} does not begin with {PREFIX}"
        for what in ("SECURE", "HTTPONLY"):
            yield not getattr(settings, f"{kind}_COOKIE_{what}"), f"{kind}_COOKIE_{what} is off"


def _of_contents() -> Judged:
    yield not settings.SECURE_CONTENT_TYPE_NOSNIFF, "SECURE_CONTENT_TYPE_NOSNIFF is off"
    directives: dict[str, Any] = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    for name in ("default-src", "base-uri", "frame-ancestors"):
        none = directives.get(name) == ["'none'"]
        yield not none, f"CONTENT_SECURITY_POLICY's {name} is not 'none'"
    unsafe = any("unsafe" in str(each) for sources in directives.values() for each in sources)
    yield unsafe, "CONTENT_SECURITY_POLICY allows something unsafe"


@register(Tags.security, deploy=True)
def secrets_are_long(**_kwargs: Any) -> list[CheckMessage]:
    """Check the key that signs sessions and forms."""
    if len(settings.SECRET_KEY) >= SECRET_CHARACTERS:
        return []
    text = f"SECRET_KEY has {len(settings.SECRET_KEY)} characters; {SECRET_CHARACTERS} is the least"
    return [Error(text, id="tawny.E013")]


@register(Tags.security, deploy=True)
def proxies_are_named(**_kwargs: Any) -> list[CheckMessage]:
    """Check that a proxy whose header says "TLS" is one that is trusted by address."""
    if settings.SECURE_PROXY_SSL_HEADER is None or settings.TRUSTED_PROXIES:
        return []
    hint = "Name its networks in TAWNY_TRUSTED_PROXIES."
    text = "X-Forwarded-Proto is believed, and no proxy is named"
    return [Caution(text, hint=hint, id="tawny.W014")]
