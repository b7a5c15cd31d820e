"""Slow and obvious twins of the reading of bodies and times, written from the contract alone."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from analytics.ingest.events import Column, Form, Header, Kind
from analytics.ingest.reasons import Reason

BETWEEN = b" \t\r\n,[]"
MARK = b"\xef\xbb\xbf"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Read:
    """What a body held: the events as text (NaN equals NaN there), and counts by reason."""

    events: list[str] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)


def read_body(body: bytes, kind: Kind, *, longest: int, max_event: int) -> Read:
    """Read a body value by value, byte by byte."""
    read, at = Read(), 0
    while (at := past_blanks(body, at)) < len(body):
        newline = body.find(b"\n", at)
        line_end = newline if newline >= 0 else len(body)
        is_object = body[at : at + 1] == b"{"
        end = end_of_object(body, at, longest=longest, max_event=max_event) if is_object else None
        value: Header | Reason | None = None
        if end is not None:
            value = outcome_of(body[at:end], kind, max_event=max_event)
        if end is None or value is None:
            endless = is_object and end is None and line_end - at > max_event
            read.rejected[Reason.TOO_LARGE if endless else Reason.MALFORMED] += 1
            end = line_end + 1
        elif isinstance(value, Header):
            read.events.append(repr(value))
            read.unknown.update(unknown_of(body[at:end], kind))
        else:
            read.rejected[value] += 1
        at = end
    return read


def past_blanks(body: bytes, at: int) -> int:
    """Return where something begins that may be no blank."""
    while at < len(body):
        if body[at] in BETWEEN:
            at += 1
        elif body[at : at + 3] == MARK:
            at += 3
        else:
            break
    return at


def end_of_object(  # noqa: C901 -- one step a byte, nothing hidden
    body: bytes, start: int, *, longest: int, max_event: int
) -> int | None:
    """Return where the braces that open at `start` are closed."""
    depth, in_text, escaped, lines = 0, False, False, 0
    for at in range(start, len(body)):
        mark = body[at : at + 1]
        if mark == b"\n":
            if in_text:
                return None
            lines += 1
        if escaped:
            escaped = False
        elif in_text:
            escaped = mark == b"\\"
            in_text = mark != b'"'
        elif mark == b'"':
            in_text = True
        elif mark in b"{}":
            depth += 1 if mark == b"{" else -1
            if lines and depth > 8:
                return None
        if at + 1 - start > (max_event if lines else longest):
            return None
        if mark == b"}" and not depth:
            return at + 1
    return None


def outcome_of(piece: bytes, kind: Kind, *, max_event: int) -> Header | Reason | None:
    """Return the event of an object, why it is none, or nothing where it is no JSON."""
    if len(piece) > max_event:
        return Reason.TOO_LARGE
    if depth_of(piece) > 8:
        return Reason.MALFORMED
    return value_of(piece, kind)


def unknown_of(piece: bytes, kind: Kind) -> list[str]:
    """Return the fields of an object that its kind has not."""
    value = json.loads(piece.decode("utf-8", "replace"))
    return [name[:64] for name in value if name not in {column.name for column in kind.columns}]


def depth_of(piece: bytes) -> int:
    """Return the deepest nesting of an object."""
    depth = deepest = 0
    in_text = escaped = False
    for at in range(len(piece)):
        mark = piece[at : at + 1]
        if escaped:
            escaped = False
        elif in_text:
            escaped = mark == b"\\"
            in_text = mark != b'"'
        elif mark == b'"':
            in_text = True
        elif mark in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in b"}]":
            depth -= 1
    return deepest


def value_of(piece: bytes, kind: Kind) -> Header | Reason | None:
    """Return the event of a piece of JSON, why it is none, or nothing where it is no JSON."""
    try:
        value = json.loads(piece.decode("utf-8", "surrogateescape"), parse_constant=_refuse)
    except ValueError:
        return None
    if _holds_half(value):
        return None
    names = [column.name for column in kind.columns]
    if any(_is_torn(value[name]) for name in names if name in value):
        return None
    fields: dict[str, Any] = {}
    for column in kind.columns:
        raw = value.get(column.name)
        if raw is not None and raw not in ("", "-"):
            fields[column.name] = _field_of(raw, column, kind)
            if isinstance(fields[column.name], Reason):
                return Reason(fields[column.name])
    return kind.make(fields)


def _field_of(raw: Any, column: Column, kind: Kind) -> Any:
    """Return what an event holds of a field, or the reason against it."""
    if column.form in {Form.PORT, Form.COUNT}:
        number = _number(raw)
        most = 65_535 if column.form is Form.PORT else 2**63 - 1
        fits = number is not None and 0 <= number <= most
        return number if fits else Reason.NUMBER_OUT_OF_RANGE
    if column.form in {Form.TEXT, Form.LOWER}:
        is_text = not isinstance(raw, dict | list | bool) and raw != inf
        return str(raw) if is_text else Reason.MALFORMED
    if column.form is Form.TEXTS:
        return type(getattr(kind.struct(), column.name))(raw)
    return raw


def _is_torn(raw: Any) -> bool:
    """Say whether a field's text is of bytes that are no text."""
    if isinstance(raw, list):
        return any(_is_torn(each) for each in raw)
    if isinstance(raw, dict):
        return any(_is_torn(each) for pair in raw.items() for each in pair)
    return isinstance(raw, str) and any("\ud800" <= letter <= "\udfff" for letter in raw)


def _holds_half(value: Any) -> bool:
    """Say whether a surrogate's first half was written anywhere; such a text is no text."""
    if isinstance(value, dict):
        return any(_holds_half(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return any(_holds_half(each) for each in value)
    return isinstance(value, str) and any("\ud800" <= letter <= "\udbff" for letter in value)


def _number(raw: Any) -> int | None:
    try:
        number = float(raw) if isinstance(raw, str) else raw
    except ValueError:
        return None
    sound = isinstance(number, int | float) and not isinstance(number, bool)
    return int(number) if sound and abs(number) < inf and number == int(number) else None


def _refuse(name: str) -> None:
    raise ValueError(name)


def nanoseconds_of(moment: datetime, digits: str = "") -> int:
    """Return a moment of whole seconds, and digits behind its point, as nanoseconds since 1970."""
    seconds = (moment - EPOCH) // timedelta(seconds=1)
    return seconds * 10**9 + int(digits[:9].ljust(9, "0") or 0)
