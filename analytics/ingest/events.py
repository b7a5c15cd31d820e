"""The canonical event, one shape per kind.

The structs are how a well-behaved client's JSON decodes; `columns` of a `Kind` say how each field
becomes a column of the batch. Adding a kind is adding a struct and a `Kind`.

Units: times int64 nanoseconds since 1970 UTC; dates of certificates int64 seconds since 1970 UTC
with ``times.NO_DATE`` for unset; addresses 16 bytes, IPv4 mapped; counts int64 with ``-1`` for
unset; durations float64 seconds with NaN for unset; flags int8 (-1 unset, 0, 1); texts UTF-8 with
``""`` for unset.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

import msgspec
import pyarrow as pa

from analytics.ingest.reasons import Reason
from analytics.ingest.times import Spelling

MAX_COUNT = 2**63 - 1
MAX_PORT = 65_535
UNSET = -1

Port = Annotated[int, msgspec.Meta(ge=0, le=MAX_PORT)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
NAN = float("nan")


class Header(msgspec.Struct, gc=False, kw_only=True):
    """What every kind carries. An instance's unset fields hold their default."""

    ts: Spelling | None = None
    srcIP: str = ""
    srcPort: Port = UNSET
    srcHost: str = ""
    srcMac: str = ""
    srcUser: str = ""
    srcID: str = ""
    connID: str = ""
    sensor: str = ""
    dataOrigin: str = ""
    dataScope: str = ""
    labels: tuple[str, ...] = ()
    localOrig: bool | None = None
    localResp: bool | None = None


class DnsEvent(Header, gc=False, kw_only=True):
    """A question put to a resolver, with its answers where the sensor saw them."""

    query: str = ""
    qtype: str = ""
    rcode: str = ""
    answers: tuple[str, ...] = ()
    destIP: str = ""


class IpEvent(Header, gc=False, kw_only=True):
    """A connection or flow. ``bytesOut`` is what the source sent."""

    destIP: str = ""
    destPort: Port = UNSET
    proto: str = ""
    bytesIn: Count = UNSET
    bytesOut: Count = UNSET
    pktsIn: Count = UNSET
    pktsOut: Count = UNSET
    duration: Seconds = NAN
    app: str = ""
    action: str = ""
    connState: str = ""
    tcpFlags: str = ""
    icmpType: Port = UNSET
    host: str = ""
    ja3: str = ""


class HttpEvent(Header, gc=False, kw_only=True):
    """A request, and its answer where the sensor saw it. ``bytesOut`` is what the client sent."""

    url: str = ""
    method: str = ""
    status: Port = UNSET
    app: str = ""
    action: str = ""
    bytesIn: Count = UNSET
    bytesOut: Count = UNSET
    contentType: str = ""
    referrer: str = ""
    userAgent: str = ""
    destIP: str = ""
    destPort: Port = UNSET
    host: str = ""
    version: str = ""


class CertHash(msgspec.Struct, gc=False):
    """A certificate's hash with its algorithm said."""

    alg: str = ""
    value: str = ""


class TlsEvent(Header, gc=False, kw_only=True):
    """A handshake. ``certHash`` is of the leaf; SHA-1 from the clients that do not say."""

    certHash: str | CertHash = ""
    issuer: str = ""
    subject: str = ""
    validFrom: Spelling | None = None
    validTo: Spelling | None = None
    destIP: str = ""
    destPort: Port = UNSET
    ja3: str = ""
    ja3s: str = ""
    ja4: str = ""
    ja4s: str = ""
    sni: str = ""
    version: str = ""


class LeaseEvent(Header, gc=False, kw_only=True):
    """An address given to a host by DHCP or VPN, or taken back. It only enriches."""

    type: str = ""
    termination: bool | None = None
    duration: Count = UNSET


class Form(StrEnum):
    """How a field is normalised and stored."""

    TIME = "time"
    ADDRESS = "address"
    NAME = "name"
    TEXT = "text"
    LOWER = "lower"
    TEXTS = "texts"
    PORT = "port"
    COUNT = "count"
    SECONDS = "seconds"
    FLAG = "flag"
    METHOD = "method"
    URL = "url"
    DATE = "date"
    HASH = "hash"


ARROW = {
    Form.TIME: pa.int64(),
    Form.ADDRESS: pa.binary(16),
    Form.NAME: pa.string(),
    Form.TEXT: pa.string(),
    Form.LOWER: pa.string(),
    Form.TEXTS: pa.list_(pa.string()),
    Form.PORT: pa.int32(),
    Form.COUNT: pa.int64(),
    Form.SECONDS: pa.float64(),
    Form.FLAG: pa.int8(),
    Form.METHOD: pa.string(),
    Form.URL: pa.string(),
    Form.DATE: pa.int64(),
    Form.HASH: pa.string(),
}
TEXTUAL = frozenset({Form.NAME, Form.TEXT, Form.LOWER, Form.METHOD, Form.URL, Form.HASH})
"""Forms that are one text."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field: its wire name, its form, and the reasons when it is needed and absent or wrong.

    A field that a kind gained after its first release is ``later``: where it is unset the event has
    the identity that it had before, so that an upgrade makes no event new.
    """

    name: str
    form: Form
    missing: Reason | None = None
    invalid: Reason = Reason.MALFORMED
    later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of telemetry."""

    name: str
    struct: type[Header]
    columns: tuple[Column, ...]
    schema_version: int = 1

    def make(self, fields: dict[str, Any]) -> Header:
        """Return an event of fields that are of their columns' types."""
        return self.struct(**fields)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of a batch of this kind."""
        return _schema(self.columns)


@lru_cache(maxsize=64)
def _schema(columns: tuple[Column, ...]) -> pa.Schema:
    return pa.schema([(column.name, ARROW[column.form]) for column in columns])


_HEADER = (
    Column("ts", Form.TIME, Reason.TS_MISSING, Reason.TS_INVALID),
    Column("srcIP", Form.ADDRESS, Reason.SRC_MISSING, Reason.SRC_INVALID),
    Column("srcPort", Form.PORT),
    Column("srcHost", Form.TEXT),
    Column("srcMac", Form.LOWER),
    Column("srcUser", Form.TEXT),
    Column("srcID", Form.TEXT),
    Column("connID", Form.TEXT),
    Column("sensor", Form.TEXT),
    Column("dataOrigin", Form.TEXT, later=True),
    Column("dataScope", Form.TEXT, later=True),
    Column("labels", Form.TEXTS),
    Column("localOrig", Form.FLAG),
    Column("localResp", Form.FLAG),
)

DNS = Kind(
    name="dns",
    struct=DnsEvent,
    columns=(
        *_HEADER,
        Column("query", Form.NAME, None, Reason.QUERY_INVALID),
        Column("qtype", Form.TEXT),
        Column("rcode", Form.TEXT),
        Column("answers", Form.TEXTS),
        Column("destIP", Form.ADDRESS, None, Reason.DEST_INVALID),
    ),
)

IP = Kind(
    name="ip",
    struct=IpEvent,
    columns=(
        *_HEADER,
        Column("destIP", Form.ADDRESS, Reason.DEST_MISSING, Reason.DEST_INVALID),
        Column("destPort", Form.PORT),
        Column("proto", Form.LOWER),
        Column("bytesIn", Form.COUNT),
        Column("bytesOut", Form.COUNT),
        Column("pktsIn", Form.COUNT),
        Column("pktsOut", Form.COUNT),
        Column("duration", Form.SECONDS),
        Column("app", Form.LOWER),
        Column("action", Form.LOWER),
        Column("connState", Form.TEXT),
        Column("tcpFlags", Form.TEXT),
        Column("icmpType", Form.PORT),
        Column("host", Form.LOWER),
        Column("ja3", Form.LOWER),
    ),
)

HTTP = Kind(
    name="http",
    struct=HttpEvent,
    columns=(
        *_HEADER,
        Column("url", Form.URL, Reason.URL_INVALID, Reason.URL_INVALID),
        Column("method", Form.METHOD),
        Column("status", Form.PORT),
        Column("app", Form.LOWER),
        Column("action", Form.LOWER),
        Column("bytesIn", Form.COUNT),
        Column("bytesOut", Form.COUNT),
        Column("contentType", Form.LOWER),
        Column("referrer", Form.TEXT),
        Column("userAgent", Form.TEXT),
        Column("destIP", Form.ADDRESS, None, Reason.DEST_INVALID),
        Column("destPort", Form.PORT),
        Column("host", Form.LOWER),
        Column("version", Form.TEXT),
    ),
)

TLS = Kind(
    name="tls",
    struct=TlsEvent,
    columns=(
        *_HEADER,
        Column("certHash", Form.HASH),
        Column("issuer", Form.TEXT),
        Column("subject", Form.TEXT),
        Column("validFrom", Form.DATE),
        Column("validTo", Form.DATE),
        Column("destIP", Form.ADDRESS, None, Reason.DEST_INVALID),
        Column("destPort", Form.PORT),
        Column("ja3", Form.LOWER),
        Column("ja3s", Form.LOWER),
        Column("ja4", Form.LOWER),
        Column("ja4s", Form.LOWER),
        Column("sni", Form.NAME, None, Reason.DEST_INVALID),
        Column("version", Form.TEXT),
    ),
)

LEASE = Kind(
    name="lease",
    struct=LeaseEvent,
    columns=(
        *_HEADER,
        Column("type", Form.LOWER),
        Column("termination", Form.FLAG),
        Column("duration", Form.COUNT),
    ),
)

KINDS = {kind.name: kind for kind in (DNS, IP, HTTP, TLS, LEASE)}
