"""Key files: 32 bytes in hexadecimal, readable by their owner alone."""

import os
import stat
from pathlib import Path

from tenants.errors import KeyUnavailable

KEY_BYTES = 32


def read_private_file(path: str) -> str:
    """Read a file of ASCII that belongs to this process's account and to nobody else.

    Raises `KeyUnavailable` when it is missing, another account's or open to others.
    """
    file = Path(path)
    try:
        status = file.stat()
        text = file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise KeyUnavailable(f"the key file {path} cannot be read") from None
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o177:
        raise KeyUnavailable(f"the key file {path} has mode {mode:o}; it must be 0400 or 0600")
    if status.st_uid != os.geteuid():
        raise KeyUnavailable(
            f"the key file {path} belongs to uid {status.st_uid}, not to {os.geteuid()}"
        )
    return text


def read_key_file(path: str) -> bytes:
    """Read a key of 32 bytes, written in hexadecimal, from a file that only its owner may read.

    Raises `KeyUnavailable` when the file is missing, open to others or holds something else.
    """
    text = read_private_file(path)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise KeyUnavailable(f"the key file {path} is not hexadecimal") from None
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"the key file {path} holds {len(key)} bytes, not {KEY_BYTES}")
    return key
