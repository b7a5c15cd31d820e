"""Where events are sent: one door a kind, described from the kinds' own structs."""

from typing import Annotated, Any

import msgspec

from analytics.ingest.bodies import MAX_INFLATED
from analytics.ingest.events import KINDS, Column, Form, Kind
from analytics.ingest.reasons import Reason
from analytics.ingest.values import MAX_EVENT
from openapi import Answer, Body, Operation, Parameter, Shape
from tenants.apikeys import Scope
from tenants.openapi import IDEMPOTENCY_KEY, REPEATED

MIB = 1 << 20
KIB = 1 << 10


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a body: ``received`` is ``accepted`` and all of ``rejected`` together.

    ``rejected`` counts by reason. What was accepted is stored before the answer is sent.
    """

    received: int
    accepted: int
    rejected: Annotated[
        dict[str, int],
        msgspec.Meta(extra_json_schema={"propertyNames": {"enum": [str(each) for each in Reason]}}),
    ]


FORMS: dict[Form, str] = {
    Form.TIME: "When it happened: RFC 3339 with `Z` or an offset (`+00:00` or `+0000`), or Unix"
    " time in seconds as a number. From the year 2000 to 24 hours ahead of now.",
    Form.ADDRESS: "IPv4 or IPv6; a zone is cut off.",
    Form.NAME: "A name in any case, with a trailing dot or without, in Unicode or A-labels.",
    Form.TEXT: "A text, kept as it is.",
    Form.LOWER: "A text, kept in lower case.",
    Form.TEXTS: "A list of texts.",
    Form.PORT: "A whole number from 0 to 65535.",
    Form.COUNT: "A whole number from 0 on.",
    Form.SECONDS: "Seconds, from 0 on.",
    Form.FLAG: "True or false.",
    Form.METHOD: "The request's method in any case.",
    Form.URL: "A URL with a scheme or without one; credentials in it are dropped.",
    Form.DATE: "A date as the time of an event, of any year.",
    Form.HASH: "A certificate's hash in hexadecimal (SHA-1 unless its length says otherwise), or"
    " an object that names the algorithm.",
}
"""What the fields of a form hold."""

FIELDS: dict[str, str] = {
    "bytesOut": "Bytes that the source sent, from 0 on.",
    "bytesIn": "Bytes that the source received, from 0 on.",
    "pktsOut": "Packets that the source sent, from 0 on.",
    "pktsIn": "Packets that the source received, from 0 on.",
    "connID": "The sensor's own id of the connection; joins events of several kinds.",
    "localOrig": "Whether the source is inside; beats the configured networks.",
    "localResp": "Whether the destination is inside; beats the configured networks.",
    "connState": "How the connection ended, by Zeek's names, such as `SF` or `S0`.",
    "duration": "How long it lasted, in seconds from 0 on.",
    "labels": "The sensor's own marks, given back with an alert.",
    "qtype": "The type of the question, such as `A`.",
    "rcode": "The answer's code as a word or number, such as `NXDOMAIN` or `3`.",
    "status": "The answer's status, 0 or absent where there is none.",
    "type": "`dhcp` or `vpn`.",
    "termination": "Whether the address was given back.",
}
"""Fields of which more can be said than their form."""

EXAMPLES: dict[str, tuple[dict[str, Any], ...]] = {
    "dns": (
        {
            "ts": "2026-05-01T12:00:00.250000Z",
            "srcIP": "192.0.2.10",
            "query": "www.example.com",
            "qtype": "A",
        },
        {"ts": "2026-05-01T12:00:01+0000", "srcIP": "192.0.2.11", "query": "example.org"},
    ),
    "ip": (
        {
            "ts": "2026-05-01T12:00:00Z",
            "srcIP": "192.0.2.10",
            "srcPort": 49152,
            "destIP": "198.51.100.7",
            "destPort": 443,
            "proto": "tcp",
            "bytesOut": 1240,
            "bytesIn": 5310,
            "duration": 0.9,
        },
    ),
    "http": (
        {
            "ts": "2026-05-01T12:00:00Z",
            "srcIP": "192.0.2.10",
            "url": "http://www.example.com/index.html",
            "method": "GET",
            "status": 200,
            "userAgent": "ExampleBrowser/1.0",
        },
    ),
    "tls": (
        {
            "ts": "2026-05-01T12:00:00Z",
            "srcIP": "192.0.2.10",
            "destIP": "198.51.100.7",
            "destPort": 443,
            "sni": "www.example.com",
            "certHash": "0123456789abcdef0123456789abcdef01234567",
        },
    ),
    "lease": (
        {
            "ts": "2026-05-01T12:00:00Z",
            "type": "dhcp",
            "srcIP": "192.0.2.10",
            "srcHost": "laptop-7.example",
            "srcMac": "00:00:5e:00:53:07",
            "duration": 86400,
        },
    ),
}
"""Events of documentation's addresses, by kind."""

SUMMARIES = {
    "dns": "Send DNS questions",
    "ip": "Send connections and flows",
    "http": "Send HTTP requests",
    "tls": "Send TLS handshakes",
    "lease": "Send leases of DHCP and VPN",
}

PROSE = f"""Send events as a stream of JSON objects: one a line, one after the other with nothing
between them, or in an array. The `Content-Type` is not looked at. The body may be compressed in
one of the encodings of `Content-Encoding`, gzip in several members too.

A request has at most {MAX_INFLATED // MIB} MiB after inflating, an event {MAX_EVENT // KIB} KiB and
8 levels of nesting. Each event that cannot be taken is counted under a reason and the others are
taken; unknown fields are ignored. `""`, `"-"`, null and `0001-01-01T00:00:00Z` mean unset.

Nothing is taken unless the whole body arrived. An answer other than 200 took nothing, so send the
body again after 503; sending one that was taken again, alone or with more, changes nothing. This
door never answers 429."""

CONTENT_ENCODING = Parameter(
    name="Content-Encoding",
    place="header",
    description="How the body is compressed.",
    schema={"type": "string", "enum": ["identity", "gzip", "deflate", "zstd"]},
    example="gzip",
)


def _told(column: Column) -> str:
    needed = " Needed." if column.missing else ""
    return FIELDS.get(column.name, FORMS[column.form]) + needed


def _operation(kind: Kind) -> Operation:
    examples = EXAMPLES[kind.name]
    event = Shape(
        type=kind.struct,
        required=tuple(column.name for column in kind.columns if column.missing),
        fields={column.name: _told(column) for column in kind.columns},
    )
    lines = "".join(msgspec.json.encode(each).decode() + "\n" for each in examples)
    return Operation(
        method="POST",
        path=f"/v1/events/{kind.name}",
        id=f"send-{kind.name}",
        tag="telemetry",
        summary=SUMMARIES[kind.name],
        description=PROSE,
        scope=Scope.INGEST,
        parameters=(CONTENT_ENCODING, IDEMPOTENCY_KEY),
        body=Body(
            description="The events. As JSON, one event or an array of them; else a stream.",
            content={
                "application/json": (
                    {"oneOf": [event, {"type": "array", "items": event}]},
                    list(examples),
                ),
                "application/x-ndjson": ({"type": "string"}, lines),
            },
        ),
        answers=(
            Answer(
                description="At least one value was read; what was accepted is stored.",
                shape=Taken,
                example={
                    "received": len(examples) + 1,
                    "accepted": len(examples),
                    "rejected": {"ts_missing": 1},
                },
            ),
        ),
        reasons={
            **REPEATED,
            400: "Nothing in the body is a JSON object, or it ended too early; see `message`.",
            413: f"The body has more than {MAX_INFLATED // MIB} MiB.",
            415: "The `Content-Encoding` is not one that is read here.",
        },
        limited=503,
    )


OPERATIONS = tuple(_operation(kind) for kind in KINDS.values())
