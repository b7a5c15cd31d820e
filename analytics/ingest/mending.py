"""Making events of JSON objects whose fields are not of the expected type.

Numbers may be written as text and texts as numbers; ``null``, ``""`` and ``"-"`` mean unset. Only
fields of the kind are read: what stands in another, however odd, is nobody's business here.
"""

import math
from collections.abc import Callable
from typing import Any

import msgspec

from analytics.ingest.events import MAX_COUNT, MAX_PORT, UNSET, CertHash, Column, Form, Header, Kind
from analytics.ingest.reasons import Reason

_any = msgspec.json.Decoder()


def mend(piece: bytes, kind: Kind) -> Header | Reason | None:
    """Make an event of one JSON object, or say why it is none; ``None`` where it is no JSON."""
    try:
        try:
            fields = _decoder(kind, Any, None).decode(piece)
            value = {name: getattr(fields, name) for name in fields.__struct_fields__}
        except msgspec.ValidationError:  # a number that no type holds, in whatever field
            fields = _decoder(kind, msgspec.Raw, msgspec.Raw(b"null")).decode(piece)
            value = {name: _value(getattr(fields, name)) for name in fields.__struct_fields__}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    return repair(value, kind)


def _decoder(kind: Kind, form: object, unset: object) -> msgspec.json.Decoder[Any]:
    """Return the decoder of a kind's fields, and of no others, whatever they hold."""
    decoder = _DECODERS.get((kind.name, form))
    if decoder is None:
        fields = [(column.name, form, unset) for column in kind.columns]
        made = msgspec.defstruct(kind.struct.__name__, fields)
        decoder = _DECODERS[kind.name, form] = msgspec.json.Decoder(made)
    return decoder


_DECODERS: dict[tuple[str, object], msgspec.json.Decoder[Any]] = {}


def _value(raw: msgspec.Raw) -> object:
    """Decode one field; a number that no type holds becomes infinity, which no field takes.

    The decoder stops at such a number: whether what follows it is text is looked at here.
    """
    try:
        return _any.decode(raw)
    except msgspec.ValidationError:
        bytes(raw).decode()
        return math.inf


def repair(value: dict[str, object], kind: Kind) -> Header | Reason:
    """Make an event of a decoded object, or say why it is none."""
    fields: dict[str, object] = {}
    for name, mended in _menders(kind):
        raw = value.get(name)
        if raw is None or raw == "" or raw == "-":  # noqa: PLR1714 -- a list has no hash
            continue
        made = mended(raw)
        if type(made) is Reason:
            return made
        fields[name] = made
    return kind.make(fields)


Mender = Callable[[Any], object]
"""Takes what a field holds; returns what the event's field may hold, or the reason against it."""


def _menders(kind: Kind) -> list[tuple[str, Mender]]:
    menders = _MENDERS.get(kind.name)
    if menders is None:
        menders = [(column.name, _mender(column)) for column in kind.columns]
        _MENDERS[kind.name] = menders
    return menders


def _mender(column: Column) -> Mender:
    if column.form in {Form.ADDRESS, Form.NAME, Form.URL}:
        return lambda raw: raw if type(raw) is str else column.invalid
    return _MENDED[column.form]


_MENDERS: dict[str, list[tuple[str, Mender]]] = {}


def _spelling(raw: object) -> object:
    sound = isinstance(raw, str | int | float) and not isinstance(raw, bool)
    return raw if sound else Reason.TS_INVALID


def _date(raw: object) -> object:
    """Take a certificate's date that can be one; a wrong one is no reason to lose the event."""
    sound = isinstance(raw, str | int | float) and not isinstance(raw, bool) and raw != math.inf
    return raw if sound else None


def _hash(raw: object) -> str | CertHash | Reason:
    if isinstance(raw, dict):
        alg, value = _plain(raw.get("alg") or ""), _plain(raw.get("value") or "")
        if isinstance(alg, Reason) or isinstance(value, Reason):
            return Reason.MALFORMED
        return CertHash(alg=alg, value=value)
    return _plain(raw)


def _plain(raw: object) -> str | Reason:
    if type(raw) is str:
        return raw
    sound = isinstance(raw, int | float) and type(raw) is not bool and raw != math.inf
    return str(raw) if sound else Reason.MALFORMED


def _list(raw: object) -> tuple[str, ...] | Reason:
    texts = [_plain(each) for each in (raw if isinstance(raw, list) else [raw])]
    sound = tuple(text for text in texts if not isinstance(text, Reason))
    return sound if len(sound) == len(texts) else Reason.MALFORMED


def _flag(raw: object) -> bool | Reason:
    return _FLAGS.get(raw, Reason.MALFORMED) if isinstance(raw, str | int) else Reason.MALFORMED


_FLAGS: dict[str | int, bool] = {
    True: True,
    False: False,
    "true": True,
    "false": False,
    "T": True,
    "F": False,
}  # fmt: skip -- the spellings side by side


def _whole(raw: object, limit: int) -> int | Reason:
    if type(raw) is str:
        try:
            raw = int(raw) if raw.lstrip("-").isdecimal() and len(raw) < 21 else float(raw)
        except ValueError:
            return Reason.NUMBER_OUT_OF_RANGE
    if type(raw) is float and raw.is_integer():
        raw = int(raw)
    return raw if type(raw) is int and UNSET < raw <= limit else Reason.NUMBER_OUT_OF_RANGE


def _seconds(raw: object) -> float | Reason:
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        return Reason.NUMBER_OUT_OF_RANGE
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        return Reason.NUMBER_OUT_OF_RANGE
    return number if 0 <= number <= 1e12 else Reason.NUMBER_OUT_OF_RANGE


_MENDED: dict[Form, Mender] = {
    Form.TIME: _spelling,
    Form.TEXT: _plain,
    Form.LOWER: _plain,
    Form.METHOD: _plain,
    Form.DATE: _date,
    Form.HASH: _hash,
    Form.TEXTS: _list,
    Form.FLAG: _flag,
    Form.PORT: lambda raw: _whole(raw, MAX_PORT),
    Form.COUNT: lambda raw: _whole(raw, MAX_COUNT),
    Form.SECONDS: _seconds,
}
