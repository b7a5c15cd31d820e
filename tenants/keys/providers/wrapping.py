"""What every provider does, and the wrapped bytes that it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from crypto import envelope

FILE, VAULT_TRANSIT, AWS_KMS = "file", "vault_transit", "aws_kms"
PROVIDERS = (FILE, VAULT_TRANSIT, AWS_KMS)
"""Each provider's name in the rows, for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """A wrapped key as it is stored: who can unwrap it, under which version of which key."""

    provider: str
    key_id: str
    version: int
    blob: bytes


class Provider(Protocol):
    """A place that holds root keys. Every method raises `KeyUnavailable` where it cannot serve.

    `context` is authenticated and must be given again; what does not fit raises
    ``crypto.errors.NotAuthentic``. `version` counts from 1.
    """

    name: str
    key_id: str

    def versions(self) -> Sequence[int]:
        """Return the versions that unwrap here and now, oldest first."""
        ...

    def current_version(self) -> int:
        """Return the newest version, which a rotation goes to."""
        ...

    def add_version(self) -> int:
        """Make a newer version and return it; nothing is wrapped under it unasked."""
        ...

    def wrap(self, secret: bytes, context: bytes, *, version: int) -> Wrapped:
        """Wrap a key of 32 bytes under a version."""
        ...

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Return what `wrap` wrapped."""
        ...

    def rewrap(self, wrapped: Wrapped, context: bytes, *, version: int) -> Wrapped:
        """Wrap the same bytes under another version; a key service does it without showing them."""
        ...

    def check_value(self, version: int) -> bytes:
        """Return 16 bytes that commit to a version of the key, so that another one is noticed."""
        ...

    def destroy(self, version: int) -> None:
        """Destroy a version for good, or have the key service do so when its waiting time ends."""
        ...


def label(provider: str, key_id: str, version: int) -> bytes:
    """Return the bytes by which a check value or a context names a version of a key."""
    return envelope.context("root", provider, key_id, version)
