"""Slow and obvious twins of the reading of bodies and times, written from the contract alone."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from analytics.ingest.events import Form, Header, Kind
from analytics.ingest.reasons import Reason

BETWEEN = b" \t\r\n,[]"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Read:
    """What a body held: the events as text (NaN equals NaN there), and counts by reason."""

    events: list[str] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)


def read_body(body: bytes, kind: Kind, *, longest: int, max_event: int) -> Read:
    """Read a body line by line and each line byte by byte."""
    read = Read()
    for line in body.split(b"\n"):
        at = 0
        while line[at:].strip(BETWEEN):
            value, end = next_value(line, at, kind, longest=longest, max_event=max_event)
            if isinstance(value, Header):
                read.events.append(repr(value))
            else:
                read.rejected[value] += 1
            if end is None:
                break
            at = end
    return read


def next_value(
    line: bytes, at: int, kind: Kind, *, longest: int, max_event: int
) -> tuple[Header | Reason, int | None]:
    """Return the next value of a line and where it ends, nowhere if the line cannot go on."""
    start = at
    while line[start : start + 1] and line[start] in BETWEEN:
        start += 1
    is_object = line[start : start + 1] == b"{"
    end = end_of_object(line, start) if is_object else None
    if end is None or end - at > longest:
        too_large = is_object and len(line) - at >= longest
        return Reason.TOO_LARGE if too_large else Reason.MALFORMED, None
    piece = line[start:end]
    if len(piece) > max_event:
        return Reason.TOO_LARGE, end
    if depth_of(piece) > 8:
        return Reason.MALFORMED, end
    value = value_of(piece, kind)
    return (Reason.MALFORMED, None) if value is None else (value, end)


def end_of_object(line: bytes, start: int) -> int | None:
    """Return where the braces that open at `start` are closed."""
    depth, in_text, escaped = 0, False, False
    for at in range(start, len(line)):
        mark = line[at : at + 1]
        if escaped:
            escaped = False
        elif in_text:
            escaped = mark == b"\\"
            in_text = mark != b'"'
        elif mark == b'"':
            in_text = True
        elif mark in b"{}":
            depth += 1 if mark == b"{" else -1
            if not depth:
                return at + 1
    return None


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
        value = json.loads(piece.decode(), parse_constant=_refuse, parse_float=_finite)
    except ValueError:
        return None
    fields: dict[str, Any] = {}
    for column in kind.columns:
        raw = value.get(column.name)
        if raw is None or raw in ("", "-"):
            continue
        if column.form in {Form.PORT, Form.COUNT}:
            raw = _number(raw)
            if raw is None or not 0 <= raw <= (65_535 if column.form is Form.PORT else 2**63 - 1):
                return Reason.NUMBER_OUT_OF_RANGE
        elif column.form in {Form.TEXT, Form.LOWER}:
            if isinstance(raw, dict | list | bool):
                return Reason.MALFORMED
            raw = str(raw)
        fields[column.name] = raw
    return kind.make(fields)


def _number(raw: Any) -> int | None:
    try:
        number = float(raw) if isinstance(raw, str) else raw
    except ValueError:
        return None
    sound = isinstance(number, int | float) and not isinstance(number, bool)
    return int(number) if sound and number == int(number) else None


def _finite(text: str) -> float:
    if (number := float(text)) in {float("inf"), float("-inf")}:
        raise ValueError(text)
    return number


def _refuse(name: str) -> None:
    raise ValueError(name)


def nanoseconds_of(moment: datetime, digits: str = "") -> int:
    """Return a moment of whole seconds, and digits behind its point, as nanoseconds since 1970."""
    seconds = (moment - EPOCH) // timedelta(seconds=1)
    return seconds * 10**9 + int(digits[:9].ljust(9, "0") or 0)
