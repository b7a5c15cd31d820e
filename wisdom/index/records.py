"""How a snapshot is laid out: one ordered map from keys to entries, and a manifest beside it.

::

    n<name>            entries of exactly this name
    d<name>            entries of this name and all below it
    a<16 bytes>        entries of this address on any port
    p<16 bytes><port>  entries of this address on this port (big-endian)
    c<16 bytes>        the networks that cover the addresses from here to the segment's last one
    u<url>             entries of URLs with this prefix
    o<flag>.<form>.<family>   what of a category anybody may have; without a family, of all
    f<flag>            the families of a category that anybody may know

Network segments are disjoint and ascending, so that one ordered search finds all networks that
hold an address, the narrowest first.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from crypto.digests import sha256

SCHEMA = 1
DATA = "index.lmdb"
MANIFEST = "manifest.json"
POINTER = "current"
MAX_KEY = 511  # what LMDB was built for; longer keys are folded


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row of one feed; ``feed`` counts into the manifest's feeds, times are Unix seconds."""

    feed: int
    kind: str
    indicator: str
    flag: str
    family: str
    first_seen: int | None
    last_seen: int | None
    until: int
    reference: str


class Segment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The networks that cover the addresses up to ``last``, the narrowest first."""

    last: bytes
    entries: tuple[Entry, ...]


class Form(StrEnum):
    """What an offered entry is: a name to ask for, or an address and port to connect to."""

    DNS = "dns"
    IP = "ip"


class Offered(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An entry that anybody may have until a Unix time; ``port`` is 0 for a name."""

    value: str
    port: int
    family: str
    until: int


class SnapshotFeed(msgspec.Struct, frozen=True, kw_only=True):
    """What a report must say of where a row comes from."""

    name: str
    title: str
    origin: str
    licence: str
    redistribute: bool
    release: str
    as_of: datetime
    fetched_at: datetime
    rows: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot is: its version, contents and digests, and the feeds it was made of.

    ``content`` is the digest of all keys and values in order; ``file`` that of the data file.
    ``stamp`` names the releases it was built from, so that a publisher knows when it is stale.
    """

    schema: int
    version: str
    built_at: datetime
    content: str
    file: str
    counts: Mapping[str, int]
    feeds: tuple[SnapshotFeed, ...]
    stamp: tuple[str, ...]
    psl: str


encode = msgspec.msgpack.Encoder().encode
decode_entries = msgspec.msgpack.Decoder(tuple[Entry, ...]).decode
decode_offered = msgspec.msgpack.Decoder(tuple[Offered, ...]).decode
decode_families = msgspec.msgpack.Decoder(tuple[str, ...]).decode
decode_segment = msgspec.msgpack.Decoder(Segment).decode
decode_manifest = msgspec.json.Decoder(Manifest).decode


def folded(key: bytes) -> bytes:
    """Give the key as it is stored: a long one by its first letter and digest."""
    return key if len(key) <= MAX_KEY else key[:1] + b"\xff" + sha256(key)


def name_key(name: str) -> bytes:
    """Key of the entries of exactly this name."""
    return folded(b"n" + name.encode())


def domain_key(name: str) -> bytes:
    """Key of the entries of this name and all below it."""
    return folded(b"d" + name.encode())


def address_key(packed: bytes) -> bytes:
    """Key of the entries of this address on any port."""
    return b"a" + packed


def address_port_key(packed: bytes, port: int) -> bytes:
    """Key of the entries of this address on this port."""
    return b"p" + packed + port.to_bytes(2, "big")


def segment_key(first: bytes) -> bytes:
    """Key of the network segment that begins at this address."""
    return b"c" + first


def url_key(url: str) -> bytes:
    """Key of the entries of URLs with this prefix."""
    return folded(b"u" + url.encode())


def offered_key(flag: str, form: Form, family: str) -> bytes:
    """Key of the entries of a category that anybody may have; ``family`` in any case, or empty."""
    return folded(f"o{flag}.{form}.{family.casefold()}".encode())


def families_key(flag: str) -> bytes:
    """Key of the names of a category's families."""
    return folded(b"f" + flag.encode())
