"""Log formats: bytes in, events as ``/v1/events/*`` takes them out, and what was refused counted.

Pure: no file, no network, no framework. Each format is a module or package of the same shape, a
parser that satisfies :class:`LogParser`; its reader decides where the bytes come from.
"""

from tawny.formats.detection import Format, detect
from tawny.formats.events import (
    KINDS,
    CertHash,
    DnsEvent,
    Event,
    HttpEvent,
    IpEvent,
    Kind,
    LeaseEvent,
    TlsEvent,
    append_line,
    encode_lines,
    kind_of,
)
from tawny.formats.parsing import LogParser, Sample, Tally, Unmappable

__all__ = [
    "KINDS",
    "CertHash",
    "DnsEvent",
    "Event",
    "Format",
    "HttpEvent",
    "IpEvent",
    "Kind",
    "LeaseEvent",
    "LogParser",
    "Sample",
    "Tally",
    "TlsEvent",
    "Unmappable",
    "append_line",
    "detect",
    "encode_lines",
    "kind_of",
]
