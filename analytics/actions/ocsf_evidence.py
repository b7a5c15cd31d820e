"""The event that shows an alert, as OCSF's evidence and observables. Pure.

Source: https://schema.ocsf.io/1.5.0/objects/evidences and .../observable
"""

from collections.abc import Mapping
from typing import Any

from analytics.actions.findings import AlertContent
from analytics.series.pairs import PROTOCOLS
from destinations import addresses, urls

DIRECTIONS = {"in": (1, "Inbound"), "out": (2, "Outbound"), "inside": (3, "Lateral")}
TRANSIT = (99, "Transit")
"""OCSF has no word for traffic between two strangers."""
MD5 = 1
"""OCSF's number of the algorithm that JA3 is made with."""
OBSERVED = (
    ("src_endpoint", "ip", 2, "IP Address"),
    ("src_endpoint", "hostname", 1, "Hostname"),
    ("src_endpoint", "mac", 3, "MAC Address"),
    ("dst_endpoint", "ip", 2, "IP Address"),
    ("dst_endpoint", "hostname", 1, "Hostname"),
    ("query", "hostname", 1, "Hostname"),
    ("url", "url_string", 6, "URL String"),
    ("tls", "sni", 1, "Hostname"),
    ("user", "name", 4, "User Name"),
)
"""Objects of an evidence, their members that others search for, and OCSF's type of the value."""


def evidence_of(content: AlertContent) -> dict[str, Any]:
    """Return the evidence artifact of an alert."""
    event = content.event
    parts = {
        "src_endpoint": _said(
            ip=content.source,
            port=event.get("srcPort"),
            hostname=event.get("srcHost"),
            mac=event.get("srcMac"),
            uid=event.get("srcID"),
        ),
        "dst_endpoint": _destination(content),
        "connection_info": _connection(content),
        "query": _query(event),
        "url": _url(event),
        "http_request": _said(
            http_method=event.get("method"),
            user_agent=event.get("userAgent"),
            referrer=event.get("referrer"),
        ),
        "tls": _tls(event),
        "user": _said(name=event.get("srcUser")),
    }
    return {"name": content.kind, **{name: part for name, part in parts.items() if part}}


def observables_of(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what of an evidence other tools look up, each with the place it stands in."""
    return [
        {
            "name": f"evidences[].{part}.{member}",
            "type_id": type_id,
            "type": type_name,
            "value": evidence[part][member],
        }
        for part, member, type_id, type_name in OBSERVED
        if member in evidence.get(part, {})
    ]


def _destination(content: AlertContent) -> dict[str, Any]:
    event = content.event
    named = event.get("host") or event.get("sni")
    if named is None and content.kind != "dns" and not _is_address(content.destination):
        named = content.destination
    address = event.get("destIP")
    if address is None and _is_address(content.destination):
        address = content.destination
    return _said(ip=address, port=event.get("destPort"), hostname=named)


def _connection(content: AlertContent) -> dict[str, Any]:
    number, name = DIRECTIONS.get(content.direction, TRANSIT)
    protocol = content.event.get("proto")
    return {
        "direction_id": number,
        "direction": name,
        **_said(
            protocol_name=protocol,
            protocol_num=PROTOCOLS.get(protocol or ""),
            uid=content.event.get("connID"),
        ),
    }


def _query(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the question; OCSF's object needs its name."""
    if "query" not in event:
        return {}
    return _said(hostname=event["query"], type=event.get("qtype"))


def _url(event: Mapping[str, Any]) -> dict[str, Any]:
    text = event.get("url")
    if text is None:
        return {}
    try:
        parts = urls.parse(text)
    except ValueError:  # an older release stored what this one would refuse
        return {"url_string": text}
    path, mark, query = parts.rest.partition("?")
    return _said(
        url_string=text,
        scheme=parts.scheme or None,
        hostname=parts.host,
        port=parts.effective_port,
        path=path or None,
        query_string=query if mark else None,
    )


def _tls(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the handshake; OCSF's object needs its version."""
    if not event.get("version") or "url" in event:
        return {}
    return _said(
        version=event["version"],
        sni=event.get("sni"),
        ja3_hash=_fingerprint(event.get("ja3")),
        ja3s_hash=_fingerprint(event.get("ja3s")),
    )


def _fingerprint(value: str | None) -> dict[str, Any] | None:
    return {"algorithm_id": MD5, "algorithm": "MD5", "value": value} if value else None


def _is_address(text: str) -> bool:
    try:
        addresses.parse(text)
    except ValueError:
        return False
    return True


def _said(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None and value != ""}
