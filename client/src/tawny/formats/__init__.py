"""Log formats: bytes in, events as ``/v1/events/*`` takes them out, and what was refused counted.

Pure: no file, no network, no framework. Each format is a module or package of the same shape, a
parser that satisfies :class:`LogParser`; its reader decides where the bytes come from.
"""

from tawny.formats.events import KINDS, DnsEvent, Event, IpEvent, Kind, encode_lines, kind_of
from tawny.formats.parsing import LogParser, Tally, Unmappable

__all__ = [
    "KINDS",
    "DnsEvent",
    "Event",
    "IpEvent",
    "Kind",
    "LogParser",
    "Tally",
    "Unmappable",
    "encode_lines",
    "kind_of",
]
