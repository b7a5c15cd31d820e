"""Lines of a Zeek JSON log to rows; keys are dotted (``id.orig_h``), absent or null is unset."""

import msgspec

from tawny.formats.zeek import kinds
from tawny.formats.zeek.rows import ROWS, ConnRow, Row

_decoders: dict[type[Row], msgspec.json.Decoder[Row]] = {
    row: msgspec.json.Decoder(row, strict=False) for row in ROWS.values()
}
_any_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def decode(line: str, hint: str, expected: str) -> tuple[str, Row | None]:
    """Decode one line to its log kind and, for kinds that are read, its row.

    ``expected`` is the kind of the line before, which most often is that of this one too. A row
    whose values have the wrong type is None if its kind is one of ours; ``msgspec.DecodeError``
    means that the line is no JSON object.
    """
    struct = ROWS.get(kinds.FAMILIES.get(expected, ""), ConnRow)
    try:
        row = _decoders[struct].decode(line)
    except msgspec.ValidationError:
        row = None
    log = _usual_kind(row, hint) if row else ""
    log = log or _kind_of(line, hint)
    needed = ROWS.get(kinds.FAMILIES.get(log, ""))
    if needed is None or needed is struct:
        return log, row if needed else None
    try:
        return log, _decoders[needed].decode(line)
    except msgspec.ValidationError:
        return log, None


def _usual_kind(row: Row, hint: str) -> str:
    """Tell the kind of a row as Zeek usually writes it, or give nothing."""
    if row.path:
        return row.path
    if isinstance(row, ConnRow) and row.orig_h is not None:
        if row.conn_state is not None:
            return kinds.snapshot_or(kinds.CONN, hint)
        if row.query is not None and row.qtype_name is not None:
            return kinds.DNS
    return ""


def _kind_of(line: str, hint: str) -> str:
    """Tell the kind of any object, whatever the types of its values."""
    row = _any_object.decode(line)
    path = bytes(row.get("_path", b"")).decode()
    if path.startswith('"'):
        return msgspec.json.decode(path, type=str)
    return kinds.by_columns(row.__contains__, hint)
