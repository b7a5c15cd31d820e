"""Which decoded events are taken, at the cost of a few distinct values.

Accepting a request needs to know how many of its events are rejected and why, not what the others
become: that is the worker's work. So each field that can be wrong is looked at once per distinct
value, and what was seen before is remembered.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from analytics.ingest.events import Column, Form, Header, Kind
from analytics.ingest.memory import ADDRESSES, NAMES, UNSET_TEXTS, URLS
from analytics.ingest.reasons import Reason
from analytics.ingest.times import read_times

SURELY_FITS = 63
"""Characters of a name that cannot have more than the 255 octets of the DNS, whatever they are."""


def rejections(events: Sequence[Header], kind: Kind, *, now: int) -> dict[int, Reason]:
    """Return the rows that are not taken, each with the first reason that applies to it.

    ``now`` is the time of receipt in nanoseconds since 1970: event times more than a day ahead of
    it are rejected.
    """
    reasons: dict[int, Reason] = {}
    for column in kind.columns:
        find = _FINDERS.get(column.form)
        if find is None:
            continue
        for row, reason in find(_VALUES[column.name](events), column, now):
            reasons.setdefault(row, reason)
    return reasons


_VALUES: dict[str, Callable[[Sequence[Any]], list[Any]]] = {
    "ts": lambda events: [event.ts for event in events],
    "srcIP": lambda events: [event.srcIP for event in events],
    "destIP": lambda events: [event.destIP for event in events],
    "query": lambda events: [event.query for event in events],
    "sni": lambda events: [event.sni for event in events],
    "url": lambda events: [event.url for event in events],
}
"""The fields that can be wrong; written out, because an attribute that is named in the code is read
in half the time of one that is not."""

Found = Iterable[tuple[int, Reason]]


def _times(values: list[Any], column: Column, now: int) -> Found:  # noqa: ARG001 -- one shape
    return read_times(values, now=now)[1]


def _addresses(values: list[str], column: Column, now: int) -> Found:  # noqa: ARG001 -- one shape
    wrong = {value for value in set(values) if ADDRESSES[value] is None}
    return _rows(values, wrong, column)


def _names(values: list[str], column: Column, now: int) -> Found:  # noqa: ARG001 -- one shape
    if max(map(len, values), default=0) <= SURELY_FITS:
        return ()
    wrong = {value for value in set(values) if len(value) > SURELY_FITS and NAMES[value] is None}
    return _rows(values, wrong, column)


def _urls(values: list[str], column: Column, now: int) -> Found:  # noqa: ARG001 -- one shape
    return _rows(values, {value for value in set(values) if not URLS[value]}, column)


def _rows(values: list[str], wrong: set[str], column: Column) -> Found:
    if not wrong:
        return
    for row, value in enumerate(values):
        if value in wrong:
            reason = column.missing if value.strip() in UNSET_TEXTS else column.invalid
            if reason is not None:
                yield row, reason


_FINDERS: dict[Form, Callable[[list[Any], Column, int], Found]] = {
    Form.TIME: _times,
    Form.ADDRESS: _addresses,
    Form.NAME: _names,
    Form.URL: _urls,
}
