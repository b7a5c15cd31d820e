"""The providers that this deployment is configured with, by the name that rows bear."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils import timezone

from tenants.errors import KeyUnavailable
from tenants.keys.providers.aws_kms import AwsKmsProvider
from tenants.keys.providers.file import FileProvider
from tenants.keys.providers.vault_transit import VaultTransitProvider
from tenants.keys.providers.wrapping import AWS_KMS, FILE, VAULT_TRANSIT, Provider, Wrapped


@lru_cache(maxsize=8)
def _file(path: str) -> Provider:
    return FileProvider(path)


@lru_cache(maxsize=8)
def _service(name: str, options: tuple[tuple[str, Any], ...]) -> Provider:
    members = dict(options)
    if name == VAULT_TRANSIT:
        return VaultTransitProvider(**members)
    return AwsKmsProvider(**members, clock=timezone.now)  # noqa: TID251 -- AWS refuses another time than the wall's


def configured() -> dict[str, Provider]:
    """Return the configured providers by name.

    The file is among them wherever there is one, so that a deployment moves from it to a service.
    """
    found: dict[str, Provider] = {}
    if settings.ROOT_KEY_FILE:
        found[FILE] = _file(settings.ROOT_KEY_FILE)
    for name in (VAULT_TRANSIT, AWS_KMS):
        if options := settings.KEY_PROVIDER_OPTIONS.get(name):
            found[name] = _service(name, tuple(sorted(options.items())))
    return found


def provider_of(wrapped: Wrapped) -> Provider:
    """Return who unwraps, or raise `KeyUnavailable` for a provider or key not configured here."""
    provider = configured().get(wrapped.provider)
    if provider is None or provider.key_id != wrapped.key_id:
        raise KeyUnavailable(f"{wrapped.provider}:{wrapped.key_id} is not configured here")
    return provider


def primary_provider() -> Provider:
    """Return the provider that new keys are wrapped by."""
    provider = configured().get(settings.KEY_PROVIDER)
    if provider is None:
        raise KeyUnavailable(f"the key provider {settings.KEY_PROVIDER!r} is not configured")
    return provider


def forget() -> None:
    """Drop the connections to key services, for a fork and between tests."""
    _service.cache_clear()
    _file.cache_clear()
