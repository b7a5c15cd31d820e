"""Cutting a body into JSON values, and values into events.

A body is a stream of JSON objects with a newline, blanks or nothing between them, or an array of
objects. A typed decoder reads block after block of at most `MAX_EVENT` bytes, each in one call. It
knows where a value ends, so that neither braces inside texts nor objects over several lines mislead
it, and it refuses fields that the kind has not, which proves that there are none. A block that it
refuses is read value by value: a field may be unknown, a number may be written as text (`mending`),
or what stands there is no event.

What cannot be parsed counts as one ``malformed``, and reading resumes after the next newline.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import msgspec

from analytics.ingest.events import Header, Kind
from analytics.ingest.mending import mend
from analytics.ingest.reasons import Reason
from analytics.ingest.scanning import (
    BETWEEN,
    BYTE_ORDER_MARK,
    LATER,
    MAX_DEPTH,
    OPEN,
    cut_between,
    depth_of,
    end_of_object,
    is_blank,
    is_shallow,
    skip_blanks,
    skip_lines,
)

MAX_EVENT = 65_536
"""Bytes of one event (contract): a DNS answer list at its longest, with room."""
ENOUGH_EVENTS = 16_384
"""Events after which a stretch ends: a megabyte of ``{}`` would be half a million of them, which
take 400 bytes each. A block adds at most 32,768, so that a stretch has fewer than a batch."""
MAX_NAMES = 100
"""Unknown fields counted by name in a stretch; names are the sender's and may be without number."""
MAX_NAME = 64
"""Characters kept of an unknown field's name."""
OTHER = "…other"
"""Stands for the names past `MAX_NAMES`."""

_FAILURES = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
_UNKNOWN_FIELD = "Object contains unknown field"  # msgspec's words, first of its message


@dataclass(slots=True)
class Decoded:
    """Events of one stretch of a body, and what was not taken from it."""

    events: list[Header] = field(default_factory=list)
    rejected: dict[Reason, int] = field(default_factory=dict)
    broken: bool = False
    """Whether the last line could not be read to its end: what follows of it is no value either."""
    rest: int = 0
    """Bytes at the end that were not read: an object that goes on, or more than enough events."""
    unfinished: bool = False
    """Whether `rest` is an object that goes on."""
    strange: list[tuple[int, int]] = field(default_factory=list)
    """Where events are that may have unknown fields; nowhere else are any."""

    def reject(self, reason: Reason, count: int = 1) -> None:
        """Count `count` values that are not taken."""
        self.rejected[reason] = self.rejected.get(reason, 0) + count


def decode_values(stretch: bytes, kind: Kind) -> Decoded:
    """Decode a stretch of a body that starts and ends between values or at a newline."""
    return _Reading(stretch, kind, whole=True).decoded()


def decode_start(text: bytes, kind: Kind, *, last: bool) -> Decoded:
    """Decode as much of a body's beginning as can be decoded without knowing what follows.

    `last` says that nothing follows. `rest` of the result says how much was left.
    """
    return _Reading(text, kind, whole=False, last=last).decoded()


def count_unknown(stretch: bytes, kind: Kind, decoded: Decoded | None = None) -> Counter[str]:
    """Count the fields of a stretch's events that the kind has not, each once an event.

    `decoded` is what `decode_values` gave for the stretch, if it is at hand. Names are cut at
    `MAX_NAME` characters; past `MAX_NAMES` of them the rarer ones count as `OTHER`.
    """
    decoded = decode_values(stretch, kind) if decoded is None else decoded
    known = {column.name for column in kind.columns}
    counts: Counter[str] = Counter()
    for start, end in decoded.strange:
        names = chain.from_iterable(_names_of(stretch[start:end]))
        for name, count in Counter(names).items():
            if name not in known:
                counts[name[:MAX_NAME]] += count
    if len(counts) <= MAX_NAMES:
        return counts
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(count for _, count in ranked[MAX_NAMES:])
    return Counter(dict(ranked[:MAX_NAMES])) + Counter({OTHER: rest})


def _names_of(text: bytes) -> Iterable[Iterable[str]]:
    """Return the fields of each object of a text that decoded to events."""
    for decode, form in ((_names.decode_lines, _as_is), (_name_lists.decode, _as_array)):
        for each in (text, text.decode("utf-8", "replace").encode()):  # a name may be any bytes
            try:
                return decode(form(each))
            except _FAILURES:
                continue
    raise AssertionError("a text that decoded to events decodes to their names")


def _as_is(text: bytes) -> bytes:
    return text


def _as_array(text: bytes) -> bytes:
    return b"[" + text.strip(BETWEEN) + b"]"


_names = msgspec.json.Decoder(dict[str, msgspec.Raw])
_name_lists = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


class _Decoders:
    """The typed decoders of a kind; `strict` ones refuse fields that it has not."""

    def __init__(self, kind: Kind) -> None:
        struct = kind.struct
        strict: Any = msgspec.defstruct(
            struct.__name__, (), bases=(struct,), forbid_unknown_fields=True, gc=False, kw_only=True
        )
        self.strict: Callable[[bytes], Header] = msgspec.json.Decoder(strict).decode
        self.strict_stream = msgspec.json.Decoder(strict).decode_lines
        self.strict_array = msgspec.json.Decoder(list[strict]).decode
        self.loose = msgspec.json.Decoder(struct).decode
        self.loose_stream = msgspec.json.Decoder(struct).decode_lines
        self.loose_array = msgspec.json.Decoder(list[struct]).decode  # type: ignore[valid-type]  # the kind's


_DECODERS: dict[str, _Decoders] = {}


def _decoders(kind: Kind) -> _Decoders:
    found = _DECODERS.get(kind.name)
    if found is None:
        found = _DECODERS[kind.name] = _Decoders(kind)
    return found


class _Reading:
    """One pass over a text. Nothing of it outlasts the pass."""

    __slots__ = ("decoders", "kind", "last", "out", "some_unknown", "text", "whole")

    def __init__(self, text: bytes, kind: Kind, *, whole: bool, last: bool = True) -> None:
        self.text = text
        self.kind = kind
        self.decoders = _decoders(kind)
        self.whole = whole
        self.last = last
        self.out = Decoded()
        self.some_unknown = False

    def decoded(self) -> Decoded:
        at, size, out = 0, len(self.text), self.out
        while at < size:
            if not self.whole and len(out.events) >= ENOUGH_EVENTS:
                out.rest = size - at
                break
            end = self._block_end(at)
            at = end if self._take_block(at, end) else self._read_on(at, end)
        return out

    def _block_end(self, at: int) -> int:
        """Return where a block ends that holds no event of more than `MAX_EVENT` bytes."""
        top = at + MAX_EVENT
        if top >= len(self.text):
            return len(self.text)
        return cut_between(self.text, at, top) or top

    def _take_block(self, at: int, end: int) -> bool:
        """Decode a block that holds events and nothing else; say whether it does."""
        block, decoders = self.text[at:end], self.decoders
        if is_blank(block):
            return True
        events = None
        if not self.some_unknown:
            events = self._attempt(block, decoders.strict_stream, decoders.strict_array)
        if self.some_unknown:
            events = self._attempt(block, decoders.loose_stream, decoders.loose_array)
            if events is None or not is_shallow(block, len(events)):
                return False
            self.out.strange.append((at, end))
        if events is None:
            return False
        self.out.events += events
        return True

    def _attempt(
        self,
        block: bytes,
        stream: Callable[[bytes], list[Header]],
        array: Callable[[bytes], list[Header]],
    ) -> list[Header] | None:
        try:
            return stream(block)
        except _FAILURES as error:
            self._note(error)
        try:
            return array(_as_array(block))
        except _FAILURES as error:
            self._note(error)
        return None

    def _note(self, error: Exception) -> None:
        self.some_unknown = self.some_unknown or str(error).startswith(_UNKNOWN_FIELD)

    def _read_on(self, at: int, until: int) -> int:
        """Read value by value until one ends past `until`; return where."""
        text, out = self.text, self.out
        while at < until and not (out.broken or out.rest):
            at = skip_blanks(text, at)
            if at < len(text):
                at = self._read_object(at) if text[at] == OPEN else self._pass_over(at)
        return at

    def _pass_over(self, at: int) -> int:
        """Count lines that begin with no object."""
        if not self.last and BYTE_ORDER_MARK.startswith(self.text[at:]):
            self.out.rest, self.out.unfinished = len(self.text) - at, True
            return len(self.text)
        end, lines = skip_lines(self.text, at)
        self.out.reject(Reason.MALFORMED, lines)
        self.out.broken = self.text[end - 1 : end] != b"\n"
        return end

    def _read_object(self, at: int) -> int:
        text, out = self.text, self.out
        newline = text.find(b"\n", at)
        line_end = len(text) if newline < 0 else newline
        if text[at - 1 : at] in _LINE_STARTS and line_end - at <= MAX_EVENT:
            end = at + len(text[at:line_end].rstrip(BETWEEN))
            value = self._event(at, end)
            if isinstance(value, Header) or value in _CERTAIN:
                return self._taken(value, line_end)
        end = end_of_object(text, at, longest=MAX_EVENT)
        if end == LATER and not self.last:
            out.rest, out.unfinished = len(text) - at, True
            return len(text)
        reason = Reason.MALFORMED
        if end > 0:
            value = self._event(at, end)
            if value is not None:
                return self._taken(value, end)
        elif line_end - at > MAX_EVENT:
            reason = Reason.TOO_LARGE
        out.reject(reason)
        out.broken = newline < 0
        return len(text) if newline < 0 else newline + 1

    def _taken(self, value: Header | Reason | None, end: int) -> int:
        if isinstance(value, Header):
            self.out.events.append(value)
        elif value is not None:
            self.out.reject(value)
        return end

    def _event(self, start: int, end: int) -> Header | Reason | None:
        """Decode one object; ``None`` where it is none."""
        piece = self.text[start:end]
        if len(piece) > MAX_EVENT:
            return Reason.TOO_LARGE
        if not self.some_unknown:
            try:
                return self.decoders.strict(piece)
            except msgspec.ValidationError as error:
                self._note(error)
            except _FAILURES:
                pass  # below it is told why
        if piece.count(b"{") + piece.count(b"[") > MAX_DEPTH and depth_of(piece) > MAX_DEPTH:
            return Reason.MALFORMED
        event: Header | Reason | None
        try:
            event = self.decoders.loose(piece)
        except msgspec.ValidationError:
            event = mend(piece, self.kind)
        except _FAILURES:
            return None
        if isinstance(event, Header):
            self.out.strange.append((start, end))
        return event


_LINE_STARTS = (b"", b"\n")
_CERTAIN = frozenset(Reason) - {Reason.MALFORMED, Reason.TOO_LARGE}
"""What is said of whole objects only: a line that is cut off or holds two gives the other ones."""
