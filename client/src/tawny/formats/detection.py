"""Which format a log is in, by how it begins."""

import re
from typing import Literal, TypeAlias

from tawny.formats.csv import known, sniff
from tawny.formats.lines import BYTE_ORDER_MARK

Format: TypeAlias = Literal["zeek", "eve", "ndjson", "csv"]

HEAD_BYTES = 1 << 16

_ZEEK_HEADER = re.compile(
    rb"^#(?:separator|set_separator|empty_field|unset_field|path|fields)\b", re.MULTILINE
)
_EVE = re.compile(rb'"event_type"\s*:\s*"')
_ZEEK_KEYS = re.compile(rb'"(?:_path|_write_ts|id\.(?:orig|resp)_[hp]|certificate\.\w+)"\s*:')
_OWN_KEYS = re.compile(rb'"(?:srcIP|destIP|srcMac)"\s*:')
_OTHER_KEYS = re.compile(
    rb'"(?:@timestamp|source\.ip|_time|src(?:_ip)?|dest_ip|dest_mac)"\s*:|"source"\s*:\s*\{'
)
_TS = re.compile(rb'"ts"\s*:')


def detect(piece: bytes, file_name: str = "") -> Format | None:
    """Tell the format of a log from its first bytes, None where they are of none of ours.

    The name only helps where the bytes leave it open: an object with a ``ts`` and no address.
    """
    head = piece[:HEAD_BYTES].removeprefix(BYTE_ORDER_MARK).lstrip()
    if head.startswith(b"#") and _ZEEK_HEADER.search(head):  # a comment may stand before it
        return "zeek"
    if head[:1] in (b"{", b"["):
        return _of_objects(head, file_name)
    return _of_columns(head)


def _of_objects(head: bytes, file_name: str) -> Format | None:
    first = head.partition(b"\n")[0]
    if len(first) < 3:  # an object over several lines, or an array's bracket
        first = head
    if _EVE.search(first):
        return "eve"
    if _ZEEK_KEYS.search(first):
        return "zeek"
    if _OWN_KEYS.search(first):
        return "ndjson"
    if _TS.search(first):
        return "zeek"
    if _OTHER_KEYS.search(first):
        return "ndjson"
    return "eve" if "eve" in file_name.replace("\\", "/").rpartition("/")[2].lower() else None


def _of_columns(head: bytes) -> Format | None:
    try:
        first = head.partition(b"\n")[0].decode().rstrip("\r")
    except UnicodeDecodeError:
        return None
    names = [name.strip().strip('"') for name in first.split(sniff(first))]
    return "csv" if len(known(names)) > 1 else None
