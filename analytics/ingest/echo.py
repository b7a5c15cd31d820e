"""From a row back to an event, in the one spelling that every client reads. Pure.

Existing clients decode a page into strict types: one bad value fails the page. So an event is
echoed re-normalised, never as it was received, and unset fields are left out.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from analytics.ingest.events import Column, Form, Kind
from analytics.ingest.times import NO_DATE, render_date, render_time
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


def events_of(table: pa.Table, kind: Kind) -> Iterator[dict[str, Any]]:
    """Yield every row as `event_of` does, column by column: some ten times as fast."""
    columns = {}
    for column in kind.columns:
        if column.name in table.column_names:
            values = table.column(column.name).to_pylist()
            shown = [_echoed(value, column) for value in values]
            if any(value is not None for value in shown):
                columns[column.name] = shown
    for row in zip(*columns.values(), strict=True):
        yield {name: value for name, value in zip(columns, row, strict=True) if value is not None}


def _echoed(value: Any, column: Column) -> Any:
    if column.form is Form.ADDRESS:
        # where the address is needed it was given: "::" is a source while a host has none
        return addresses.render(value) if any(value) or column.missing else None
    shown = _SHOWN.get(column.form)
    return shown(value) if shown else value or None


_SHOWN: dict[Form, Callable[[Any], Any]] = {
    Form.TIME: render_time,
    Form.DATE: lambda value: None if value == NO_DATE else render_date(value),
    Form.PORT: lambda value: value if value >= 0 else None,
    Form.COUNT: lambda value: value if value >= 0 else None,
    Form.SECONDS: lambda value: None if math.isnan(value) else value,
    Form.FLAG: lambda value: None if value < 0 else bool(value),
}
"""How a form is shown; texts are shown as they are and left out where they are empty."""
