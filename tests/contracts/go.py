"""JSON as Go's ``encoding/json`` writes and reads it: typed, and one bad value fails the whole.

A type says what it reads and what it holds where the member is absent or null. Names are matched
in any case, unknown members are ignored, and a number is an integer only if it is written as one.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

_INTEGER = re.compile(r"-?\d+")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_ESCAPED = {
    "&": "\\u0026",
    "<": "\\u003c",
    ">": "\\u003e",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
ZERO_TIME = "0001-01-01T00:00:00Z"


class Undecodable(Exception):  # noqa: N818 -- reads as a fact
    """The client would report an error in place of the whole answer."""


class Panic(Exception):  # noqa: N818 -- Go's word
    """The client would end: it follows a pointer to nothing."""


class Number(str):
    """A number as it is spelled."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Type:
    """How a value is read, and what stands for none."""

    read: Callable[[Any, str], Any]
    zero: Callable[[], Any]

    def of(self, value: Any, where: str) -> Any:
        return self.zero() if value is None else self.read(value, where)


def encode(value: Any) -> bytes:
    """Write a value without blanks, with the characters of HTML escaped, as Go does."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for plain, escaped in _ESCAPED.items():
        text = text.replace(plain, escaped)
    return text.encode()


def decode(content: bytes, kind: Type) -> Any:
    """Read a body into a type, or raise `Undecodable`."""
    try:
        value = json.loads(
            content, parse_int=Number, parse_float=Number, parse_constant=_no_constant
        )
    except ValueError as error:
        raise Undecodable(f"invalid JSON: {error}") from None
    return kind.of(value, "body")


def dereferenced(value: Any, what: str) -> Any:
    """Follow a pointer without looking."""
    if value is None:
        raise Panic(what)
    return value


def _no_constant(word: str) -> Any:
    raise Undecodable(f"{word} is no JSON")


def _exactly(kind: type) -> Callable[[Any, str], Any]:
    def read(value: Any, where: str) -> Any:
        if type(value) is not kind:
            raise Undecodable(f"{where}: {value!r} is not {kind.__name__}")
        return value

    return read


def integer(*, least: int, most: int) -> Type:
    """Make an integer type of a range."""

    def read(value: Any, where: str) -> int:
        if not isinstance(value, Number) or not _INTEGER.fullmatch(value):
            raise Undecodable(f"{where}: {value!r} is no integer")
        if not least <= int(value) <= most:
            raise Undecodable(f"{where}: {value} does not fit")
        return int(value)

    return Type(read, int)


def listed(item: Type) -> Type:
    """Make a slice; ``None`` is Go's nil."""

    def read(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise Undecodable(f"{where}: {value!r} is no array")
        return [item.of(each, f"{where}[{at}]") for at, each in enumerate(value)]

    return Type(read, lambda: None)


def mapped(item: Type) -> Type:
    """Make a map with texts as keys."""

    def read(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Undecodable(f"{where}: {value!r} is no object")
        return {name: item.of(each, f"{where}.{name}") for name, each in value.items()}

    return Type(read, dict)


def pointer(to: Type) -> Type:
    """Make a pointer: absent and null are nil, not the zero value."""
    return Type(to.read, lambda: None)


def struct(**fields: Type) -> Type:
    """Make a struct of members by their JSON names."""
    folded = {name.casefold(): name for name in fields}

    def zero() -> dict[str, Any]:
        return {name: kind.zero() for name, kind in fields.items()}

    def read(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Undecodable(f"{where}: {value!r} is no object")
        made = zero()
        for name, each in value.items():
            known = name if name in fields else folded.get(name.casefold())
            if known is not None and each is not None:
                made[known] = fields[known].read(each, f"{where}.{known}")
        return made

    return Type(read, zero)


def _moment(value: Any, where: str) -> datetime:
    match = _RFC3339.fullmatch(value) if type(value) is str else None
    if match is None:
        raise Undecodable(f"{where}: {value!r} is no RFC 3339 time")
    seconds, fraction, offset = match.groups("")
    try:
        return datetime.fromisoformat(seconds + fraction[:7] + offset)
    except ValueError as error:
        raise Undecodable(f"{where}: {error}") from None


def _address(value: Any, where: str) -> str:
    text = str(_exactly(str)(value, where))
    if text:
        try:
            ip_address(text)
        except ValueError as error:
            raise Undecodable(f"{where}: {error}") from None
        if "%" in text:
            raise Undecodable(f"{where}: net.IP has no zone")
    return text


def _float(value: Any, where: str) -> float:
    if not isinstance(value, Number):
        raise Undecodable(f"{where}: {value!r} is no number")
    return float(value)


STRING = Type(_exactly(str), str)
BOOL = Type(_exactly(bool), bool)
UINT16 = integer(least=0, most=65_535)
INT = integer(least=-(2**63), most=2**63 - 1)
INT32 = integer(least=-(2**31), most=2**31 - 1)
INT64 = INT
FLOAT64 = Type(_float, float)
TIME = Type(_moment, lambda: datetime.fromisoformat(ZERO_TIME))
ADDRESS = Type(_address, str)
STRINGS = listed(STRING)
ANY = Type(lambda value, _where: value, lambda: None)
