"""Spamhaus DROP: networks hijacked or leased by professional criminals, not to be routed at all."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

from feeds import values
from feeds.errors import ListRefused
from feeds.indicators import Indicator, Parsed, merged

NAME = "spamhaus_drop"
TITLE = "Spamhaus DROP: networks not to route or peer with"
ORIGIN = "spamhaus"
URL = "https://www.spamhaus.org/drop/drop_v4.json"
URL_V6 = "https://www.spamhaus.org/drop/drop_v6.json"
LICENCE = "Spamhaus DROP terms: free of charge, with credit, date and copyright kept"
TERMS = "https://www.spamhaus.org/blocklists/drop-fair-use-policy/"
COMMERCIAL_USE = True
REDISTRIBUTE = False  # the terms speak of use in products, not of passing the list on
EVERY = timedelta(hours=12)  # asked for at most hourly; the list changes slowly
EXPIRES = timedelta(days=7)  # after the last fetch that still had the network
FLAG = "blocklist"


class _Line(msgspec.Struct, frozen=True):
    cidr: str = ""
    sblid: str = ""
    type: str = ""
    timestamp: int | None = None
    records: int | None = None


def parse(body: bytes) -> Parsed:
    """Read the NDJSON of either family, or the older text with ``;`` comments.

    Raises
    ------
    ListRefused
        ``truncated`` when the last line counts other records than there are.

    """
    lines = [line.strip() for line in body.decode("utf-8-sig", "replace").splitlines()]
    lines = [line for line in lines if line]
    return _json(lines) if any(line.startswith("{") for line in lines) else _text(lines)


def _json(lines: list[str]) -> Parsed:
    rejected: Counter[str] = Counter()
    found: list[Indicator] = []
    metadata: _Line | None = None
    rows = 0
    for line in lines:
        try:
            row = msgspec.json.decode(line, type=_Line)
            if row.type == "metadata":
                metadata = row
                continue
            rows += 1
            found.append(_indicator(row.cidr, row.sblid))
        except (msgspec.MsgspecError, ValueError):
            rejected["malformed"] += 1
    if metadata is None:
        return Parsed(indicators=merged(found), rejected=rejected, notes=("no metadata line",))
    if metadata.records is not None and metadata.records != rows:
        raise ListRefused("truncated", f"{rows} networks where {metadata.records} are announced")
    as_of = None
    if metadata.timestamp is not None:
        as_of = datetime.fromtimestamp(metadata.timestamp, UTC)
    return Parsed(indicators=merged(found), rejected=rejected, as_of=as_of)


def _text(lines: list[str]) -> Parsed:
    rejected: Counter[str] = Counter()
    found: list[Indicator] = []
    as_of: datetime | None = None
    for line in lines:
        network, _, remark = (part.strip() for part in line.partition(";"))
        if not network:
            if remark.startswith("Last-Modified:"):
                as_of = _date(remark.removeprefix("Last-Modified:"))
            continue
        try:
            found.append(_indicator(network, remark))
        except ValueError:
            rejected["malformed"] += 1
    return Parsed(indicators=merged(found), rejected=rejected, as_of=as_of)


def _indicator(cidr: str, sbl: str) -> Indicator:
    value = values.of_network(cidr)
    return Indicator(kind=value.kind, value=value.text, flag=FLAG, reference=sbl)


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
