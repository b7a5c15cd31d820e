"""Root keys in files of this machine: ``root``, ``root_2`` and on, each mode 0400.

The first version is the file that ``ROOT_KEY_FILE`` names, the others lie beside it. What it wraps
is an envelope of ours whose key id is derived from the root key, as it was before there were
versions, so that a deployment's older rows open unchanged.
"""

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from crypto import envelope, kdf
from crypto.random import random_bytes
from tenants.errors import KeyUnavailable
from tenants.keys.files import KEY_BYTES, read_key_file
from tenants.keys.providers.wrapping import FILE, Wrapped, label


@lru_cache(maxsize=16)
def _root(path: str, _mtime: int) -> envelope.DataKey:
    secret = read_key_file(path)
    return envelope.DataKey(
        id=UUID(bytes=kdf.hkdf(secret, info=b"root|id", length=16)),
        secret=kdf.hkdf(secret, info=b"root|wrap"),
    )


class FileProvider:
    """Root keys in a folder."""

    name = FILE
    key_id = "root"

    def __init__(self, path: str) -> None:
        self._first = Path(path)

    def path(self, version: int) -> Path:
        """Return where a version lies, whether or not it does."""
        name = self._first.name
        return self._first if version == 1 else self._first.with_name(f"{name}_{version}")

    def versions(self) -> Sequence[int]:
        """Return the versions whose files are there."""
        named = re.compile(re.escape(self._first.name) + r"_([1-9][0-9]{0,5})")
        try:
            found = [named.fullmatch(each.name) for each in self._first.parent.iterdir()]
        except OSError:
            raise KeyUnavailable(f"the folder of {self._first} cannot be read") from None
        later = sorted(int(each[1]) for each in found if each)
        first = [1] if self._first.exists() else []
        return first + [each for each in later if each > 1]

    def current_version(self) -> int:
        """Return the newest version that is there."""
        versions = self.versions()
        if not versions:
            raise KeyUnavailable(f"the key file {self._first} cannot be read")
        return versions[-1]

    def add_version(self) -> int:
        """Write a new file, whole or not at all."""
        version = self.current_version() + 1
        path = self.path(version)
        draft = path.with_name(f".{path.name}.new")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(handle, "wb") as file:
            file.write(random_bytes(KEY_BYTES).hex().encode())
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
        _settle(path.parent)
        return version

    def wrap(self, secret: bytes, context: bytes, *, version: int) -> Wrapped:
        """Seal under a version's key."""
        blob = envelope.seal(key=self._key(version), plaintext=secret, context=context)
        return Wrapped(provider=self.name, key_id=self.key_id, version=version, blob=blob)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Open an envelope; one that names another key than its version's raises `UnknownKey`."""
        key = self._key(wrapped.version)
        return envelope.unseal(
            key=lambda name: key if name == key.id else None, sealed=wrapped.blob, context=context
        )

    def rewrap(self, wrapped: Wrapped, context: bytes, *, version: int) -> Wrapped:
        """Open under the one version and seal under the other, in this process."""
        return self.wrap(self.unwrap(wrapped, context), context, version=version)

    def check_value(self, version: int) -> bytes:
        """Derive the check value from the key."""
        secret = self._key(version).secret
        return kdf.hkdf(secret, info=b"kcv|" + label(FILE, self.key_id, version), length=16)

    def destroy(self, version: int) -> None:
        """Overwrite the file and take it away; what a disk or a backup keeps is not undone."""
        path = self.path(version)
        if not path.exists():
            return
        path.chmod(0o600)
        with path.open("r+b", buffering=0) as file:
            file.write(random_bytes(KEY_BYTES).hex().encode())
            os.fsync(file.fileno())
        path.unlink()
        _settle(path.parent)
        _root.cache_clear()

    def _key(self, version: int) -> envelope.DataKey:
        path = self.path(version)
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            raise KeyUnavailable(f"the key file {path} cannot be read") from None
        return _root(str(path), changed)


def _settle(folder: Path) -> None:
    """Have the folder's names on the disk before a row depends on them."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
