"""Marks: how far a log was taken, and how to know it again under another name or inode.

Inodes are used again, and logs are renamed, copied and compressed. What stays is the content: a log
is known by the digests of its beginning and of the line before the mark. A log that has given no
event yet has no content of its own (every CSV file of a kind begins alike) and is known by its
place alone.
"""

from hashlib import blake2b
from typing import TypeAlias

import msgspec

HEAD_BYTES = 4096  # a TSV header with its #open time and the first rows
TAIL_BYTES = 256  # of the line before the mark
DIGEST_BYTES = 16  # logs are told apart by 2**64 of them; nobody gains by a forged copy

Place: TypeAlias = tuple[int, int]
"""Device and inode."""


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in one log, up to which its events are in requests that are on the disk.

    ``log`` numbers the logs of one state. ``offset`` counts bytes of the log, decompressed; what a
    parser needs before it goes on from there is ``header``. ``ended`` says that the file was read
    to its end; ``size`` and ``modified`` are then its own. Times are epoch seconds.
    """

    log: int
    path: str
    device: int
    inode: int
    offset: int
    head_bytes: int
    head: str
    tail_bytes: int
    tail: str
    header: bytes = b""
    events: bool = False
    ended: bool = False
    size: int = 0
    modified: float = 0.0
    seen: int = 0

    @property
    def place(self) -> Place:
        """Where its file was."""
        return self.device, self.inode


def digest(content: bytes) -> str:
    """Give the fingerprint of a piece of a log, in hexadecimal."""
    return blake2b(content, digest_size=DIGEST_BYTES).hexdigest()
