"""Where root keys lie: a file, Vault's transit engine, AWS KMS.

A provider wraps and unwraps a few bytes under a key of its own that never leaves it. What it gives
back names provider, key and version; the three are looked up among what this deployment is
configured with. Nothing in a row is ever used to find an address, a path or an algorithm.
"""

from tenants.keys.providers.configured import configured, forget, primary_provider, provider_of
from tenants.keys.providers.wrapping import Provider, Wrapped

__all__ = ["Provider", "Wrapped", "configured", "forget", "primary_provider", "provider_of"]
