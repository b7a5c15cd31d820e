"""HashiCorp Vault's transit engine: a derived key by name, versions counted by Vault.

The key must be made with ``derived=true``: then Vault derives the encryption key from the context
that comes with each call, so that a wrapped key opens in its own row's context only, and ``rewrap``
keeps it so. A key that is not derived would ignore the context silently, and is refused.

Source: the transit engine's HTTP API (encrypt, decrypt, rewrap, keys/NAME and its rotate, config
and trim).
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any

from crypto.digests import sha256
from tenants.errors import KeyUnavailable
from tenants.keys.files import read_private_file
from tenants.keys.providers.calls import Caller
from tenants.keys.providers.wrapping import VAULT_TRANSIT, Wrapped, label

_CIPHERTEXT = re.compile(r"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/=]+")
_REFUSALS = {
    400: ("message authentication failed", "invalid ciphertext", "unable to decrypt"),
    500: ("message authentication failed",),
}


class VaultTransitProvider:
    """One transit key of one Vault."""

    name = VAULT_TRANSIT

    def __init__(self, *, address: str, mount: str, key: str, token_file: str) -> None:
        self.key_id = key
        self._mount = mount
        self._token_file = token_file
        self._caller = Caller(address)

    def versions(self) -> Sequence[int]:
        """Return the versions that Vault still decrypts."""
        return range(self._state()["min_decryption_version"], self.current_version() + 1)

    def current_version(self) -> int:
        """Return Vault's latest version."""
        return int(self._state()["latest_version"])

    def add_version(self) -> int:
        """Rotate the key in Vault; wraps name their version, so none goes there unasked."""
        self._ask("POST", f"keys/{self.key_id}/rotate")
        return self.current_version()

    def wrap(self, secret: bytes, context: bytes, *, version: int) -> Wrapped:
        """Encrypt under a version."""
        said = self._ask(
            "POST", f"encrypt/{self.key_id}", plaintext=_text(secret), context=_text(context),
            key_version=version,
        )  # fmt: skip
        return self._wrapped(said, version)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Decrypt; Vault reads the version from the ciphertext, which must be the row's."""
        ciphertext = _ciphertext(wrapped.blob.decode("ascii", "replace"), wrapped.version)
        said = self._ask(
            "POST", f"decrypt/{self.key_id}", ciphertext=ciphertext, context=_text(context)
        )
        try:
            return base64.b64decode(said["data"]["plaintext"], validate=True)
        except (KeyError, TypeError, binascii.Error):
            raise KeyUnavailable("Vault's answer holds no plaintext") from None

    def rewrap(self, wrapped: Wrapped, context: bytes, *, version: int) -> Wrapped:
        """Have Vault encrypt anew; the plaintext does not leave it."""
        ciphertext = _ciphertext(wrapped.blob.decode("ascii", "replace"), wrapped.version)
        said = self._ask(
            "POST", f"rewrap/{self.key_id}", ciphertext=ciphertext, context=_text(context),
            key_version=version,
        )  # fmt: skip
        return self._wrapped(said, version)

    def check_value(self, version: int) -> bytes:
        """Commit to the version's name and time of making, which is all that Vault shows of it."""
        made = self._state()["keys"].get(str(version))
        if made is None:
            raise KeyUnavailable(f"Vault has no version {version} of {self.key_id} (any more)")
        shown = json.dumps(made, sort_keys=True).encode()
        return sha256(label(self.name, self.key_id, version) + shown)[:16]

    def destroy(self, version: int) -> None:
        """Raise the least version to the next one and trim the older away."""
        least = version + 1
        config = f"keys/{self.key_id}/config"
        self._ask("POST", config, min_decryption_version=least, min_encryption_version=least)
        self._ask("POST", f"keys/{self.key_id}/trim", min_available_version=least)

    def _state(self) -> dict[str, Any]:
        data = self._ask("GET", f"keys/{self.key_id}").get("data")
        if not isinstance(data, dict) or not isinstance(data.get("latest_version"), int):
            raise KeyUnavailable("Vault's answer describes no key")
        if data.get("derived") is not True:
            raise KeyUnavailable(f"Vault's key {self.key_id} is not derived: it ignores contexts")
        return data

    def _wrapped(self, said: dict[str, Any], version: int) -> Wrapped:
        ciphertext = _ciphertext(str(said.get("data", {}).get("ciphertext", "")), version)
        return Wrapped(
            provider=self.name, key_id=self.key_id, version=version, blob=ciphertext.encode()
        )

    def _ask(self, method: str, path: str, **members: str | int) -> dict[str, Any]:
        return self._caller.ask(
            method,
            f"/v1/{self._mount}/{path}",
            headers={"X-Vault-Token": read_private_file(self._token_file)},
            content=json.dumps(members).encode() if members else None,
            refusals=_REFUSALS,
        )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _ciphertext(text: str, version: int) -> str:
    """Return a transit ciphertext if it is one of `version`."""
    match = _CIPHERTEXT.fullmatch(text)
    if match is None or int(match[1]) != version:
        raise KeyUnavailable(f"the wrapped key is no transit ciphertext of version {version}")
    return text
