"""Which kind of Zeek log a row belongs to: its path, else its columns, else the file's name."""

from collections.abc import Callable

CONN = "conn"
OPEN_CONN = "open_conn"
DNS = "dns"
MAPPED = frozenset({CONN, OPEN_CONN, DNS})
UNKNOWN = "unknown"


def name_hint(file_name: str) -> str:
    """Take ``conn`` from ``conn.00:00:00-01:00:00.log.gz``; the last path component counts."""
    stem = file_name.replace("\\", "/").rpartition("/")[2].partition(".")[0]
    return stem or UNKNOWN


def by_columns(has: Callable[[str], bool], hint: str) -> str:
    """Tell the kind from the columns, asked one at a time; ``hint`` where they leave it open."""
    if has("id.orig_h"):
        if has("conn_state") or has("orig_ip_bytes"):
            return OPEN_CONN if hint == OPEN_CONN else CONN
        if has("trans_id") and (has("rejected") or has("AA")):
            return DNS
        if has("query") and (has("qtype_name") or has("rcode_name")):
            return DNS
    return UNKNOWN if hint in MAPPED else hint
