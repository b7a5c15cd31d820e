"""Answers decoded as strictly as existing clients decode them: one bad value fails the page."""

import json
import re
from datetime import datetime
from ipaddress import ip_address
from typing import Any

INT32 = 2**31 - 1
INT64 = 2**63 - 1
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
TOKEN = re.compile(r"[A-Za-z0-9.-]+")
TEXTS = {
    "srcHost", "srcMac", "srcUser", "srcID", "connID", "query", "qtype", "rcode", "proto", "app",
    "action", "ja3", "ja3s", "url", "method", "contentType", "referrer", "userAgent", "certHash",
    "issuer", "subject",
}  # fmt: skip
INT64S = {"bytesIn", "bytesOut"}
PORTS = {"srcPort", "destPort"}


def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


def decoded(content: bytes) -> dict[str, Any]:
    """Decode a body that has to be one JSON object without NaN, null or repeated members."""
    body = json.loads(content, object_pairs_hook=no_duplicates, parse_constant=refuse)
    assert isinstance(body, dict)
    return body


def refuse(word: str) -> Any:
    raise AssertionError(f"{word} is no JSON")


def go_time(value: Any) -> datetime:
    assert isinstance(value, str)
    assert RFC3339.fullmatch(value), value
    return datetime.fromisoformat(value)


def go_integer(value: Any, *, most: int = INT64) -> None:
    assert type(value) is int
    assert -most - 1 <= value <= most


def check_event(event: dict[str, Any]) -> None:
    """Check an event as `nfr` and the vendor's Go client take it into their structs."""
    go_time(event["ts"])
    for name, value in event.items():
        assert value is not None, name
        if name in {"srcIP", "destIP"}:
            if value:
                ip_address(value)
        elif name in {"validFrom", "validTo"}:
            go_time(value)
        elif name in PORTS:
            go_integer(value)
            assert 0 <= value <= 65_535
        elif name == "status":
            go_integer(value, most=INT32)
        elif name in INT64S:
            go_integer(value)
        elif name in TEXTS:
            assert isinstance(value, str), name
        elif name == "labels":
            assert all(isinstance(each, str) for each in value)


def check_alerts(content: bytes) -> dict[str, Any]:
    """Decode a page of alerts as the Go clients, the beat and the SOAR playbook do."""
    page = decoded(content)
    assert isinstance(page["follow"], str)
    assert TOKEN.fullmatch(page["follow"])
    assert type(page["more"]) is bool
    assert isinstance(page["alerts"], list)
    assert page["alerts"] or not page["more"]
    for alert in page["alerts"]:
        assert alert["eventType"] in {"dns", "ip", "http", "tls"}
        check_event(alert["event"])
        assert alert["threats"]
        for threat in alert["threats"]:
            assert threat in page["threats"]
        wisdom = alert["wisdom"]
        assert all(isinstance(flag, str) for flag in wisdom["flags"])
        assert all(isinstance(label, str) for label in wisdom.get("labels", []))
        assert isinstance(wisdom.get("domain", ""), str)
    for threat in page["threats"].values():
        check_threat(threat)
    return page


def check_threat(threat: dict[str, Any]) -> None:
    assert isinstance(threat["title"], str)
    assert threat["title"]
    go_integer(threat["severity"])
    assert 0 <= threat["severity"] <= 5
    assert type(threat.get("policy", False)) is bool
