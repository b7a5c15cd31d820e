"""Named values, as any schema of ``vocabularies`` has them, to one event; leniently, and counted.

A number may come as text, a flag as a word, a list as one value. What the service would reject is
Unmappable with the service's reason, so that it is known before anything is sent.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from math import isfinite
from typing import Any

import msgspec

from tawny.formats.certificates import cert_hash, validity
from tawny.formats.events import EVENTS, CertHash, Event, Kind
from tawny.formats.parsing import Skipped, Unmappable
from tawny.formats.times import Clockface
from tawny.formats.vocabularies import KIND_MARKS, MARKS, NANOSECONDS, OWN, Vocabulary

MAX_COUNT = 2**63 - 1
MAX_PORT = 65_535
ADDRESSES_KEPT = 1 << 14

GO_ZERO_TIME = "0001-01-01T00:00:00Z"
UNSET = frozenset({"", "-", GO_ZERO_TIME})
"""Values that mean unset, beside null: of Zeek, of Go's clients and of nobody's events."""

_FLAGS = {
    **dict.fromkeys(("true", "t", "1", "yes"), True),
    **dict.fromkeys(("false", "f", "0", "no"), False),
}
_ENDINGS = frozenset({"end", "ended", "release", "released", "expired", "blocked"})

_PORTS = frozenset({"srcPort", "destPort", "icmpType"})
_COUNTS = frozenset({"bytesIn", "bytesOut", "pktsIn", "pktsOut", "status"})
_TIMES = frozenset({"validFrom", "validTo"})
_FLAG_NAMES = frozenset({"localOrig", "localResp", "termination"})
_LISTS = frozenset({"answers", "labels"})

REQUIRED_DEST: frozenset[Kind] = frozenset({"ip"})


@lru_cache(ADDRESSES_KEPT)
def is_address(text: str) -> bool:
    """Tell whether a text is an IPv4 or IPv6 address, with or without a zone."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def vocabulary_of(names: Mapping[str, Any]) -> Vocabulary:
    """Tell whose names these are; the API's own where no other has them."""
    return next((each for each, marks in MARKS if not marks.isdisjoint(names)), OWN)


def kind_by_fields(names: Mapping[str, Any]) -> Kind | None:
    """Tell the kind from the names that have a value, None where they leave it open."""
    return next((kind for kind, marks in KIND_MARKS if not marks.isdisjoint(names)), None)


def event_of(
    values: Mapping[str, Any], kind: Kind, vocabulary: Vocabulary, clock: Clockface
) -> Event:
    """Make an event of ``kind`` of the values that have a name in ``vocabulary``.

    Unmappable with the reason where it cannot be; Skipped where an answer or a request for an
    address stands, and no event.
    """
    if vocabulary is not OWN:
        _pass_over(values, kind, vocabulary)
    fields: dict[str, Any] = {}
    for field, names in vocabulary[kind].items():
        for name in names:
            value = values.get(name)
            if value is None or (isinstance(value, str) and value in UNSET):
                continue
            fields[field] = _read(field, name, value, clock)
            break
    if vocabulary is not OWN:
        _adapt(fields, kind)
    _check(fields, kind)
    try:
        return msgspec.convert(fields, EVENTS[kind])
    except msgspec.ValidationError as error:
        raise Unmappable("malformed") from error


def _pass_over(values: Mapping[str, Any], kind: Kind, vocabulary: Vocabulary) -> None:
    """Raise Skipped for what the schemas also record and is no event."""
    if kind == "dns":
        if values.get("dns.type") == "answer" and not values.get("dns.question.name"):
            raise Skipped
        if str(values.get("message_type") or "query").lower() != "query":
            raise Skipped
        if not any(values.get(name) for name in vocabulary["dns"]["query"]):
            raise Skipped
    told = str(values.get("dhcpv4.option.message_type") or "ack").lower()
    if kind == "lease" and told not in ("ack", "release"):
        raise Skipped


def _adapt(fields: dict[str, Any], kind: Kind) -> None:
    """Take a destination that is a host's name, as CIM allows, for none where none is needed."""
    dest = fields.get("destIP")
    if dest is not None and kind not in REQUIRED_DEST and not is_address(dest):
        del fields["destIP"]
    if kind == "lease":
        fields.setdefault("type", "dhcp")


def _check(fields: dict[str, Any], kind: Kind) -> None:
    """Raise Unmappable for what the service would reject."""
    if "ts" not in fields:
        raise Unmappable("ts_missing")
    source, dest = fields.get("srcIP"), fields.get("destIP")
    if source is None:
        raise Unmappable("src_missing")
    if not is_address(source):
        raise Unmappable("src_invalid")
    if dest is None and kind in REQUIRED_DEST:
        raise Unmappable("dest_missing")
    if dest is not None and not is_address(dest):
        raise Unmappable("dest_invalid")


def _read(field: str, name: str, value: Any, clock: Clockface) -> Any:
    if field == "ts":
        return clock(_text(value))
    if field in _TIMES:
        return validity(_text(value), clock)
    if field == "duration":
        return _duration(name, value)
    if field == "certHash":
        return _hash(name, value)
    reader: Callable[[Any], Any] = _READERS.get(field, _text)
    return reader(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and value:  # ECS allows a list wherever it allows a value
        return _text(value[0])
    raise Unmappable("malformed")


def _number(value: Any) -> int:
    text = _text(value)
    try:
        number = int(text) if text.isascii() and len(text) < 20 else None
    except ValueError:
        number = None
    if number is None:
        number = _from_float(text)
    if not 0 <= number <= MAX_COUNT:
        raise Unmappable("number_out_of_range")
    return number


def _from_float(text: str) -> int:
    """Read ``404.0`` and what is too long for a count."""
    try:
        number = float(text)
    except ValueError as error:
        raise Unmappable("malformed") from error
    if not isfinite(number):
        raise Unmappable("number_out_of_range")
    if number != int(number):
        raise Unmappable("malformed")
    return int(number)


def _port(value: Any) -> int:
    number = _number(value)
    if number > MAX_PORT:
        raise Unmappable("number_out_of_range")
    return number


def _duration(name: str, value: Any) -> float | int:
    """Read seconds; a whole number stays one, as a lease's has to be."""
    text = _text(value)
    try:
        number = float(text)
    except ValueError as error:
        raise Unmappable("malformed") from error
    if not (isfinite(number) and number >= 0):
        raise Unmappable("number_out_of_range")
    if name in NANOSECONDS:
        return number / 1_000_000_000
    return int(number) if number.is_integer() else number


def _flag(value: Any) -> bool:
    text = _text(value).lower()
    if text in _FLAGS:
        return _FLAGS[text]
    return text in _ENDINGS


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        value = value.replace("\n", ",").split(",")
    values = value if isinstance(value, list) else [value]
    return [text for each in values if each is not None and (text := _text(each)) not in UNSET]


def _hash(name: str, value: Any) -> CertHash | str | None:
    if isinstance(value, dict):
        return cert_hash(_text(value.get("value", "")), alg=_text(value.get("alg", "")) or None)
    last = name.rpartition(".")[2]
    return cert_hash(_text(value), alg=last if last in ("sha256", "sha1", "md5") else None)


_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_PORTS, _port),
    **dict.fromkeys(_COUNTS, _number),
    **dict.fromkeys(_FLAG_NAMES, _flag),
    **dict.fromkeys(_LISTS, _texts),
}
