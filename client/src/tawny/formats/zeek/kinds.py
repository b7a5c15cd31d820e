"""Which kind of Zeek log a row belongs to: its path, else its columns, else the file's name."""

from collections.abc import Callable

CONN = "conn"
OPEN_CONN = "open_conn"
DNS = "dns"
HTTP = "http"
OPEN_HTTP = "open_http"
SSL = "ssl"
OPEN_SSL = "open_ssl"
X509 = "x509"
DHCP = "dhcp"

SNAPSHOTS = {CONN: OPEN_CONN, HTTP: OPEN_HTTP, SSL: OPEN_SSL}
"""Logs of what is not over yet; their rows have the columns of the log it will be in."""

FAMILIES = {log: log for log in (CONN, DNS, HTTP, SSL, X509, DHCP)} | {
    snapshot: log for log, snapshot in SNAPSHOTS.items()
}
"""The logs that are read, with the log whose columns they have."""

UNKNOWN = "unknown"


def name_hint(file_name: str) -> str:
    """Take ``conn`` from ``conn.00:00:00-01:00:00.log.gz``; the last path component counts."""
    stem = file_name.replace("\\", "/").rpartition("/")[2].partition(".")[0]
    return stem or UNKNOWN


def by_columns(has: Callable[[str], bool], hint: str) -> str:
    """Tell the kind from the columns, asked one at a time; ``hint`` where they leave it open."""
    log = _with_id(has) if has("id.orig_h") else _without_id(has)
    if log is None:
        return UNKNOWN if hint in FAMILIES else hint
    return snapshot_or(log, hint)


def snapshot_or(log: str, hint: str) -> str:
    """Give the snapshot's kind of ``log`` where the file's name says that it is one."""
    return hint if SNAPSHOTS.get(log) == hint else log


def _with_id(has: Callable[[str], bool]) -> str | None:
    if has("conn_state") or has("orig_ip_bytes"):
        return CONN
    if has("trans_id") and (has("rejected") or has("AA")):
        return DNS
    if has("query") and (has("qtype_name") or has("rcode_name")):
        return DNS
    if has("trans_depth") and (has("request_body_len") or has("method") or has("status_code")):
        return HTTP
    if has("established") or has("cert_chain_fuids") or has("cert_chain_fps"):
        return SSL
    return DHCP if has("mac") and has("lease_time") else None


def _without_id(has: Callable[[str], bool]) -> str | None:
    if has("certificate.serial") or has("certificate.subject"):
        return X509
    return DHCP if has("msg_types") and (has("mac") or has("uids")) else None
