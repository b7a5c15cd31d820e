"""Asking Wisdom: one client a process, with a sealed cache that all processes share."""

import logging
import ssl
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from redis import Redis

from analytics.wisdom_client import Answer, Memory, Shared, Tiers, WisdomClient
from destinations.report import Destination
from tenants import keys

log = logging.getLogger(__name__)

DEADLINE = 5.0
"""Seconds that one question to Wisdom may take in all (contract); the rest is owed."""
PURPOSE = "wisdom-cache"


def _seal(plaintext: bytes, context: bytes) -> bytes:
    return keys.system_seal(PURPOSE, plaintext, context)


def _unseal(sealed: bytes, context: bytes) -> bytes:
    return keys.system_unseal(PURPOSE, sealed, context)


def _trust(certificate: str) -> ssl.SSLContext:
    """Trust the public authorities, or nothing but one certificate whatever name it bears."""
    context = ssl.create_default_context(cafile=certificate or None)
    if certificate:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.check_hostname = False
    return context


@lru_cache(maxsize=1)
def _client(url: str, key_file: str, cache_url: str, certificate: str) -> WisdomClient:
    valkey = Redis.from_url(cache_url, socket_timeout=1.0, socket_connect_timeout=1.0)
    shared = Shared(valkey, key=keys.system_key(PURPOSE), seal=_seal, unseal=_unseal)
    return WisdomClient(
        url,
        Path(key_file).read_text("ascii").strip(),
        timeout=DEADLINE,
        trust=_trust(certificate),
        cache=Tiers(Memory(), shared),
    )


def ask(destinations: frozenset[Destination]) -> Answer:
    """Return the reports on destinations; nothing is asked and nothing owed without a Wisdom.

    All is owed where there is one whose key cannot be read: it is asked again when there is a key.
    """
    if not settings.WISDOM_URL or not settings.WISDOM_KEY_FILE:
        return Answer(reports={}, owed=frozenset())
    try:
        client = _client(
            settings.WISDOM_URL,
            settings.WISDOM_KEY_FILE,
            settings.CACHE_URL,
            settings.WISDOM_PINNED_CERTIFICATE,
        )
    except OSError as error:
        log.warning("wisdom's key cannot be read: %s", type(error).__name__)
        return Answer(reports={}, owed=destinations)
    now = timezone.now()  # noqa: TID251 -- the cache's ttl counts from when the answer arrives
    return client.reports(destinations, now=now)
