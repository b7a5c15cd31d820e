"""Small Zeek logs of one session: its handshake, certificate, request and lease."""

import json
from collections.abc import Mapping
from typing import Any

from tests.client.zeek_logs import header

UID = "CYl7H53iN6mY9NyXJ8"  # that of the conn row in zeek_logs
SHA256 = "0a" * 32
SHA1 = "1b" * 20
ID = {"id.orig_h": "192.0.2.10", "id.orig_p": 50123, "id.resp_h": "198.51.100.7"}

SSL: dict[str, Any] = {
    "ts": "1713484795.950000", "uid": UID, **ID, "id.resp_p": 443, "version": "TLSv12",
    "cipher": "TLS_RSA_WITH_AES_128_CBC_SHA", "server_name": "www.example.com", "resumed": False,
    "established": True, "ssl_history": "CsxknGIi", "cert_chain_fps": [SHA256, "0c" * 32],
    "ja3": "a" * 32, "ja3s": "b" * 32, "ja4": "t13d1516h2_8daaf6152771_02713d6af862",
    "ja4s": "t120300_c030_5e2616a54c73",
}  # fmt: skip
X509: dict[str, Any] = {
    "ts": "1713484795.960000", "fingerprint": SHA256, "certificate.version": 3,
    "certificate.serial": "01", "certificate.subject": "CN=www.example.com,O=Example\\, Inc",
    "certificate.issuer": "CN=Example CA", "certificate.not_valid_before": "1700000000.000000",
    "certificate.not_valid_after": "1731536000.000000", "san.dns": ["www.example.com"],
}  # fmt: skip
HTTP: dict[str, Any] = {
    "ts": "1713484796.000001", "uid": UID, **ID, "id.resp_p": 80, "trans_depth": 1,
    "method": "POST", "host": "www.example.com", "uri": "/form?a=b", "referrer":
    "http://www.example.com/", "version": "1.1", "user_agent": "Example/1.0",
    "request_body_len": 12, "response_body_len": 3400, "status_code": 200, "status_msg": "OK",
    "tags": [], "username": "alice", "password": "hunter2", "proxied": [],
    "resp_mime_types": ["text/html", "image/png"],
}  # fmt: skip
DHCP: dict[str, Any] = {
    "ts": "1713484797.500000", "uids": [UID, "C2"], "client_addr": "192.0.2.1", "server_addr":
    "192.0.2.254", "mac": "02:00:5e:10:00:01", "host_name": "desk-1", "client_fqdn":
    "desk-1.example.com", "assigned_addr": "192.0.2.20", "lease_time": 3600.0,
    "msg_types": ["REQUEST", "ACK"],
}  # fmt: skip


def cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, list):
        return ",".join(each.replace("\\", "\\\\").replace(",", "\\x2c") for each in value) or (
            "(empty)"
        )
    return str(value).replace("\\", "\\\\")


def tsv(path: str, *rows: Mapping[str, Any]) -> bytes:
    names = list(rows[0])
    lines = ("\t".join(cell(row[name]) for name in names) + "\n" for row in rows)
    return (header(path, names) + "".join(lines)).encode()


def jsonl(path: str, *rows: Mapping[str, Any], named: bool = True) -> bytes:
    lines = []
    for row in rows:
        values = {name: value for name, value in row.items() if value is not None}
        values["ts"] = float(values["ts"])
        lines.append(json.dumps(({"_path": path} if named else {}) | values))
    return "\n".join(lines).encode() + b"\n"
