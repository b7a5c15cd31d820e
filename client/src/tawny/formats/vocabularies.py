"""The names that other schemas have for the fields of our events: tables and nothing else.

A field takes the first of its names that has a value. ``ECS`` is the Elastic Common Schema 8 (with
Packetbeat's ``dhcpv4``), ``CIM`` Splunk's Common Information Model 5; ``OWN`` is the API's, where
every field has the one name. ``NANOSECONDS`` are the names whose values are that and not seconds.
"""

from typing import TypeAlias

import msgspec

from tawny.formats.events import EVENTS, Kind

Vocabulary: TypeAlias = dict[Kind, dict[str, tuple[str, ...]]]

OWN: Vocabulary = {
    kind: {field.encode_name: (field.encode_name,) for field in msgspec.structs.fields(event)}
    for kind, event in EVENTS.items()
}

_ECS_HEADER = {
    "ts": ("@timestamp",),
    "srcIP": ("source.ip",),
    "srcPort": ("source.port",),
    "srcHost": ("source.domain",),
    "srcMac": ("source.mac",),
    "srcUser": ("source.user.name", "user.name"),
    "sensor": ("observer.name",),
}
_ECS_DEST = {"destIP": ("destination.ip",), "destPort": ("destination.port",)}

ECS: Vocabulary = {
    "dns": _ECS_HEADER
    | {
        "srcHost": ("source.domain", "host.name"),
        "destIP": ("destination.ip",),
        "query": ("dns.question.name",),
        "qtype": ("dns.question.type",),
        "rcode": ("dns.response_code",),
        "answers": ("dns.answers.data", "dns.resolved_ip"),
    },
    "ip": _ECS_HEADER
    | _ECS_DEST
    | {
        "ts": ("event.start", "@timestamp"),
        "proto": ("network.transport",),
        "bytesOut": ("source.bytes",),
        "bytesIn": ("destination.bytes",),
        "pktsOut": ("source.packets",),
        "pktsIn": ("destination.packets",),
        "ja3": ("tls.client.ja3",),
        "host": ("tls.client.server_name",),
        "app": ("network.protocol",),
        "action": ("event.action", "event.outcome"),
        "duration": ("event.duration",),
    },
    "http": _ECS_HEADER
    | _ECS_DEST
    | {
        "url": ("url.full", "url.original"),
        "method": ("http.request.method",),
        "status": ("http.response.status_code",),
        "action": ("event.action",),
        "bytesOut": ("http.request.bytes", "source.bytes"),
        "bytesIn": ("http.response.bytes", "destination.bytes"),
        "contentType": ("http.response.mime_type",),
        "referrer": ("http.request.referrer",),
        "userAgent": ("user_agent.original",),
        "host": ("url.domain",),
        "version": ("http.version",),
    },
    "tls": _ECS_HEADER
    | _ECS_DEST
    | {
        "certHash": ("tls.server.hash.sha256", "tls.server.hash.sha1", "tls.server.hash.md5"),
        "issuer": ("tls.server.issuer",),
        "subject": ("tls.server.subject",),
        "validFrom": ("tls.server.not_before",),
        "validTo": ("tls.server.not_after",),
        "ja3": ("tls.client.ja3",),
        "ja3s": ("tls.server.ja3s",),
        "sni": ("tls.client.server_name",),
        "version": ("tls.version",),
    },
    "lease": _ECS_HEADER
    | {
        "srcIP": ("dhcpv4.assigned_ip",),
        "srcPort": (),
        "srcMac": ("dhcpv4.client_mac", "source.mac"),
        "srcHost": ("dhcpv4.option.hostname",),
        "srcUser": ("user.name",),
        "duration": ("dhcpv4.option.ip_address_lease_time_sec",),
    },
}

_CIM_HEADER = {
    "ts": ("_time",),
    "srcIP": ("src_ip", "src"),
    "srcPort": ("src_port",),
    "srcHost": ("src_host",),
    "srcMac": ("src_mac",),
    "srcUser": ("src_user", "user"),
    "sensor": ("dvc",),
}
_CIM_DEST = {"destIP": ("dest_ip", "dest"), "destPort": ("dest_port",)}

CIM: Vocabulary = {
    "dns": _CIM_HEADER
    | {
        "destIP": ("dest_ip", "dest"),
        "query": ("query",),
        "qtype": ("record_type",),
        "rcode": ("reply_code", "reply_code_id"),
        "answers": ("answer",),
    },
    "ip": _CIM_HEADER
    | _CIM_DEST
    | {
        "proto": ("transport",),
        "bytesOut": ("bytes_out",),
        "bytesIn": ("bytes_in",),
        "pktsOut": ("packets_out",),
        "pktsIn": ("packets_in",),
        "app": ("app",),
        "action": ("action",),
        "duration": ("duration",),
    },
    "http": _CIM_HEADER
    | _CIM_DEST
    | {
        "srcUser": ("user",),
        "url": ("url",),
        "method": ("http_method",),
        "status": ("status",),
        "app": ("app",),
        "action": ("action",),
        "bytesOut": ("bytes_out",),
        "bytesIn": ("bytes_in",),
        "contentType": ("http_content_type",),
        "referrer": ("http_referrer",),
        "userAgent": ("http_user_agent",),
    },
    "tls": _CIM_HEADER
    | _CIM_DEST
    | {
        "certHash": ("ssl_hash",),
        "issuer": ("ssl_issuer",),
        "subject": ("ssl_subject",),
        "validFrom": ("ssl_start_time",),
        "validTo": ("ssl_end_time",),
    },
    # the client of a lease is the destination in CIM
    "lease": {
        "ts": ("_time",),
        "srcIP": ("dest_ip",),
        "srcMac": ("dest_mac",),
        "srcHost": ("dest_nt_host",),
        "srcUser": ("user",),
        "type": ("tag",),
        "termination": ("action",),
        "duration": ("lease_duration",),
    },
}

NANOSECONDS = frozenset({"event.duration"})

MARKS: tuple[tuple[Vocabulary, frozenset[str]], ...] = (
    (OWN, frozenset({"srcIP", "destIP", "srcMac"})),
    (ECS, frozenset({"@timestamp", "source.ip"})),
    (CIM, frozenset({"_time", "src", "src_ip", "dest_ip", "dest_mac"})),
)
"""The names, one of which an event of each vocabulary has; asked in this order."""

KIND_MARKS: tuple[tuple[Kind, frozenset[str]], ...] = (
    ("dns", frozenset({"query", "dns.question.name"})),
    ("http", frozenset({"url", "url.full", "url.original"})),
    (
        "tls",
        frozenset({"certHash", "ja3s", "ja4", "ja4s", "sni", "issuer", "subject", "validFrom"})
        | {name for names in ECS["tls"].values() for name in names if name.startswith("tls.server")}
        | {name for names in CIM["tls"].values() for name in names if name.startswith("ssl_")},
    ),
    ("lease", frozenset({"termination", "type", "dest_mac", "lease_duration", "dest_nt_host"})),
    ("lease", frozenset({"dhcpv4.assigned_ip", "dhcpv4.client_mac"})),
    ("ip", frozenset({"destIP", "destination.ip", "dest_ip", "dest"})),
)
"""The names that tell an event's kind where nobody says it; the first that is there decides."""
