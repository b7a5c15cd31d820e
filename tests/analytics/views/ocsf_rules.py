"""The rules of OCSF 1.5 for what our findings use, as data, and a strict check against them.

A rule is a type, perhaps with the values that are allowed; a list of a rule is an array; a mapping
is an object whose members are known. A member that ends in ``?`` may be absent. Nothing else may be
there. Source: https://schema.ocsf.io/1.5.0/classes/detection_finding
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

ANY = object()
TIME = "timestamp_t"
IP = "ip_t"
MAC = "mac_t"
UID = "uid"

_PATTERNS = {
    MAC: re.compile(r"([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"),
    UID: re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}
ENDPOINT = {"ip?": IP, "port?": range(65_536), "hostname?": str, "mac?": MAC, "uid?": str}
NAMED = {"uid": str, "name?": str}
FINGERPRINT = {"algorithm_id": {0, 1, 2, 3, 4, 5, 6, 7, 99}, "algorithm?": str, "value": str}
EVIDENCE = {
    "name?": str,
    "src_endpoint?": ENDPOINT,
    "dst_endpoint?": ENDPOINT,
    "connection_info?": {
        "direction_id": {0, 1, 2, 3, 99}, "direction?": str, "protocol_name?": str,
        "protocol_num?": range(256), "uid?": str,
    },
    "query?": {"hostname": str, "type?": str},
    "url?": {
        "url_string?": str, "scheme?": str, "hostname?": str, "port?": range(65_536),
        "path?": str, "query_string?": str,
    },
    "http_request?": {"http_method?": str, "user_agent?": str, "referrer?": str},
    "tls?": {
        "version": str, "sni?": str, "ja3_hash?": FINGERPRINT, "ja3s_hash?": FINGERPRINT,
    },
    "user?": {"name": str},
}  # fmt: skip
FINDING: dict[str, Any] = {
    "activity_id": {0, 1, 2, 3, 99},
    "activity_name?": {"Create", "Update", "Close"},
    "category_uid": {2},
    "category_name?": {"Findings"},
    "class_uid": {2004},
    "class_name?": {"Detection Finding"},
    "type_uid": {200400, 200401, 200402, 200403, 200499},
    "type_name?": str,
    "severity_id": {0, 1, 2, 3, 4, 5, 6, 99},
    "severity?": {"Unknown", "Informational", "Low", "Medium", "High", "Critical"},
    "status_id?": {0, 1, 2, 3, 4, 5, 6, 99},
    "status?": {"New", "Resolved"},
    "is_alert?": bool,
    "confidence_id?": {0, 1, 2, 3, 99},
    "confidence?": {"Unknown", "Low", "Medium", "High"},
    "risk_score?": range(101),
    "time": TIME,
    "time_dt?": str,
    "start_time?": TIME,
    "end_time?": TIME,
    "count?": int,
    "message?": str,
    "metadata": {
        "version": {"1.5.0"},
        "profiles?": [str],
        "product": {
            "name?": str, "vendor_name?": str, "uid?": str,
            "feature?": {"name?": str, "version?": str, "uid?": str},
        },
        "tenant_uid?": UID,
        "uid?": UID,
        "sequence?": int,
        "correlation_uid?": UID,
        "event_code?": str,
        "log_name?": str,
    },
    "finding_info": {
        "uid": UID,
        "title?": str,
        "desc?": str,
        "types?": [str],
        "created_time?": TIME,
        "modified_time?": TIME,
        "first_seen_time?": TIME,
        "last_seen_time?": TIME,
        "related_events_count?": int,
        "data_sources?": [str],
        "analytic?": {
            "uid?": str, "name?": str, "type_id": {0, 1, 2, 3, 4, 5, 6, 99}, "type?": str,
            "version?": str,
        },
        "attacks?": [
            {"version?": str, "tactic?": NAMED, "technique?": NAMED, "sub_technique?": NAMED}
        ],
    },
    "evidences?": [EVIDENCE],
    "observables?": [{"name": str, "type_id": {1, 2, 3, 4, 6}, "type?": str, "value?": str}],
    "enrichments?": [
        {"name": str, "value": str, "type?": str, "provider?": str, "data": ANY}
    ],
    "unmapped?": ANY,
}  # fmt: skip


def check(record: Any, rule: Any = None, *, path: str = "", least: int = 10**12) -> None:
    """Hold a record against the rules; `least` is the smallest number that is a time."""
    rule = FINDING if rule is None else rule
    if rule is ANY:
        assert record is not None, path
    elif isinstance(rule, Mapping):
        check_object(record, rule, path=path, least=least)
    elif isinstance(rule, list):
        assert isinstance(record, list), path
        for number, each in enumerate(record):
            check(each, rule[0], path=f"{path}[{number}]", least=least)
    else:
        check_value(record, rule, path=path, least=least)


def check_object(record: Any, rule: Mapping[str, Any], *, path: str, least: int) -> None:
    assert isinstance(record, dict), path
    assert record, f"{path} is empty"
    members = {name.removesuffix("?"): each for name, each in rule.items()}
    needed = {name for name in rule if not name.endswith("?")}
    assert needed <= record.keys(), f"{path} lacks {needed - record.keys()}"
    assert record.keys() <= members.keys(), f"{path} has {record.keys() - members.keys()}"
    for name, value in record.items():
        check(value, members[name], path=f"{path}.{name}", least=least)


def check_value(value: Any, rule: Any, *, path: str, least: int) -> None:
    if rule == TIME:
        assert type(value) is int, path
        assert least <= value < least * 1000, f"{path}: {value}"
    elif rule == IP:
        ip_address(value)
    elif isinstance(rule, str):
        assert _PATTERNS[rule].fullmatch(value), path
    elif isinstance(rule, set | range):
        assert type(value) is type(next(iter(rule))), path
        assert value in rule, f"{path}: {value}"
    else:
        assert type(value) is rule, path
