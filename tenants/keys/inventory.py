"""Which cryptographic primitives the product uses and where, read from its own source.

Every use of a cryptographic library is in the package ``crypto``; a test holds the tree to it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import crypto

LIBRARIES = frozenset({"hashlib", "hmac", "cryptography"})
"""Packages whose import is a use of cryptography."""

PURPOSES = {
    "aead": ("XAES-256-GCM (AES-256-CMAC derivation, AES-256-GCM)", "256", "sealed rows and keys"),
    "digests": ("SHA-256", "256", "public bytes: notes, certificates, snapshots"),
    "kdf": ("HKDF-SHA-256", "256", "keys by purpose, check values"),
    "mac": ("HMAC-SHA-256", "256", "blind indexes, event identities, API keys, sign-in tags"),
    "merkle": ("SHA-256 (RFC 6962 tree)", "256", "the audit log"),
    "otp": ("HMAC-SHA-1 (RFC 6238)", "160", "one-time codes of staff"),
    "stream": ("scrypt, X25519, SHA-256; pieces as crypto.aead", "256", "archives of tenants"),
    "signatures": ("Ed25519", "256", "checkpoints, releases"),
}
"""By module of ``crypto`` that imports a library: algorithm, bits of key or output, what for."""


def imports(source: str) -> Iterator[str]:
    """Return the top-level packages that a module imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def inventory() -> list[dict[str, str]]:
    """Return each module that uses a library, with algorithm, size and purpose.

    Raises ``KeyError`` for a module of ``crypto`` that nobody has described.
    """
    found = []
    for path in sorted(Path(crypto.__path__[0]).glob("*.py")):
        used = sorted(LIBRARIES.intersection(imports(path.read_text("utf-8"))))
        if used:
            algorithm, bits, purpose = PURPOSES[path.stem]
            found.append(
                {
                    "module": f"crypto.{path.stem}",
                    "algorithm": algorithm,
                    "bits": bits,
                    "purpose": purpose,
                    "libraries": ", ".join(used),
                }
            )
    return found
