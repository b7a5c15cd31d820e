"""Small Zeek logs, written as Zeek writes them; addresses and names are reserved ones."""

from collections.abc import Sequence

CONN_FIELDS = (
    "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration",
    "orig_bytes", "resp_bytes", "conn_state", "local_orig", "local_resp", "missed_bytes", "history",
    "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes", "tunnel_parents",
)  # fmt: skip
CONN_ROW = (
    "1713484795.943239", "CYl7H53iN6mY9NyXJ8", "192.0.2.10", "50123", "198.51.100.7", "443", "tcp",
    "ssl", "12.345678", "1200", "34000", "SF", "T", "F", "0", "ShADadFf", "14", "1800", "30",
    "35500", "-",
)  # fmt: skip
DNS_FIELDS = (
    "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "trans_id", "rtt",
    "query", "qclass", "qclass_name", "qtype", "qtype_name", "rcode", "rcode_name", "AA", "TC",
    "RD", "RA", "Z", "answers", "TTLs", "rejected",
)  # fmt: skip
DNS_ROW = (
    "1521911720.865716", "CqKst53mF3det3eDV9", "192.0.2.10", "41772", "192.0.2.53", "53", "udp",
    "36329", "0.000870", "www.example.com", "1", "C_INTERNET", "1", "A", "0", "NOERROR", "F", "F",
    "T", "T", "0", "alias.example.net,203.0.113.9", "60.000000,30.000000", "F",
)  # fmt: skip


def header(
    path: str,
    fields: Sequence[str],
    *,
    separator: str = "\t",
    set_separator: str = ",",
    empty: str = "(empty)",
    unset: str = "-",
) -> str:
    escaped = "".join(f"\\x{byte:02x}" for byte in separator.encode())
    lines = (
        ("#set_separator", set_separator),
        ("#empty_field", empty),
        ("#unset_field", unset),
        ("#path", path),
        ("#open", "2024-04-19-00-00-01"),
        ("#fields", *fields),
        ("#types", *("string" for _ in fields)),
    )
    return f"#separator {escaped}\n" + "".join(separator.join(line) + "\n" for line in lines)


def row(fields: Sequence[str], values: Sequence[str], separator: str = "\t", **changes: str) -> str:
    named = dict(zip(fields, values, strict=True)) | {
        name.replace("__", "."): value for name, value in changes.items()
    }
    return separator.join(named.values()) + "\n"


def conn_row(**changes: str) -> str:
    return row(CONN_FIELDS, CONN_ROW, **changes)


def dns_row(**changes: str) -> str:
    return row(DNS_FIELDS, DNS_ROW, **changes)


def conn_log(*rows: str, path: str = "conn") -> bytes:
    return (header(path, CONN_FIELDS) + "".join(rows or (conn_row(),))).encode()


def dns_log(*rows: str) -> bytes:
    return (header("dns", DNS_FIELDS) + "".join(rows or (dns_row(),))).encode()
