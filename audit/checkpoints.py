"""What is signed: the log's origin, its size and its root, as C2SP tlog-checkpoint lays it out.

The text is three lines (origin, decimal size, base64 root) and lines that later versions may add;
as a signed note it is about 200 bytes. The verifying key lies beside the file that holds the newest
one, under the same name with ``.pub``.
"""

import base64
import binascii
import os
import re
from dataclasses import dataclass
from pathlib import Path

from audit.errors import NoSuchCheckpoint
from crypto.merkle import HASH_BYTES
from crypto.signatures import SigningKey, VerifyingKey, decode_public, open_note, sign_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeHead:
    """A log's origin, its number of leaves, and the 32-byte root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "TreeHead":
        """Read the text of a checkpoint, or raise `NoSuchCheckpoint`."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise NoSuchCheckpoint("a checkpoint is an origin, a size and a root, a line each")
        try:
            root = base64.b64decode(lines[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise NoSuchCheckpoint("a checkpoint's root is base64") from error
        if len(root) != HASH_BYTES:
            raise NoSuchCheckpoint(f"a checkpoint's root has {HASH_BYTES} bytes")
        return cls(origin=lines[0], size=int(lines[1]), root=root)


def sign(head: TreeHead, signer: SigningKey) -> str:
    """Return the signed checkpoint of `head`."""
    return sign_note(head.text(), signer)


def opened(note: str, *, key: VerifyingKey, origin: str) -> TreeHead:
    """Return the head that `key` signed for `origin`.

    Raises
    ------
    crypto.errors.CryptoError
        It is no note, or not signed by `key`.
    NoSuchCheckpoint
        It is signed but no checkpoint, or that of another log.

    """
    head = TreeHead.parse(open_note(note, key))
    if head.origin != origin:
        raise NoSuchCheckpoint(f"the checkpoint is of the log {head.origin}, not of {origin}")
    return head


def public_key_path(checkpoint: Path) -> Path:
    """Name the file beside a checkpoint that holds the key to verify it with."""
    return checkpoint.with_name(checkpoint.name + ".pub")


def read_public_key(path: Path, *, name: str) -> VerifyingKey:
    """Read a public key file in any of the forms of `crypto.signatures.decode_public`."""
    return decode_public(path.read_bytes(), name=name)


def write_atomically(path: Path, text: str) -> None:
    """Replace a file as a whole: after a crash it holds the old text or the new, never a mixture.

    Readable by all, as a checkpoint is meant to be; its folder must exist.
    """
    written = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
