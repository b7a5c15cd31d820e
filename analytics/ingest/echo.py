"""From a row back to an event, in the one spelling that every client reads. Pure.

Existing clients decode a page into strict types: one bad value fails the page. So an event is
echoed re-normalised, never as it was received, and unset fields are left out.
"""

import math
from typing import Any

import pyarrow as pa

from analytics.ingest.events import Column, Form, Kind
from analytics.ingest.times import render_time
from destinations import addresses


def event_of(table: pa.Table, row: int, kind: Kind) -> dict[str, Any]:
    """Return a row as the wire's event."""
    event: dict[str, Any] = {}
    for column in kind.columns:
        if column.name not in table.column_names:
            continue
        value = _echoed(table.column(column.name)[row].as_py(), column)
        if value is not None:
            event[column.name] = value
    return event


def _echoed(value: Any, column: Column) -> Any:
    form = column.form
    if form is Form.TIME:
        return render_time(value)
    if form is Form.ADDRESS:
        # where the address is needed it was given: "::" is a source while a host has none
        return addresses.render(value) if any(value) or column.missing else None
    if form in {Form.PORT, Form.COUNT}:
        return value if value >= 0 else None
    if form is Form.SECONDS:
        return None if math.isnan(value) else value
    if form is Form.FLAG:
        return None if value < 0 else bool(value)
    return value or None
