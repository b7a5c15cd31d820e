"""URLhaus of abuse.ch: URLs that served malware within the last thirty days."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from feeds import values
from feeds.errors import ListRefused
from feeds.indicators import Indicator, Parsed, merged

NAME = "urlhaus"
TITLE = "URLhaus: URLs that distribute malware"
ORIGIN = "abuse.ch"
URL = "https://urlhaus.abuse.ch/downloads/csv_recent/"
LICENCE = "CC0-1.0 under a fair-use policy"
TERMS = "https://urlhaus.abuse.ch/api/"
COMMERCIAL_USE = False  # fair use; commercial use goes through the publisher's partner
REDISTRIBUTE = False
EVERY = timedelta(minutes=30)  # made anew every 5 minutes; a sixth of that spares the publisher
EXPIRES = timedelta(days=30)  # as long as the recent export keeps a row
FLAG = "dropper"

_COLUMNS = (
    "id", "dateadded", "url", "url_status", "last_online", "threat", "tags", "urlhaus_link",
    "reporter",
)  # fmt: skip
_UPDATED = re.compile(r"Last updated: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")

# A tag with a capital is a family, unless it is one of these: formats, carriers, senders' habits.
_FAMILY = re.compile(r"[A-Z][A-Za-z0-9 ._-]{2,31}")
_NO_FAMILY = frozenset({"None", "ClickFix", "Encoded", "Encrypted", "Password-protected", "USA"})


def parse(body: bytes) -> Parsed:
    """Read the CSV or the JSON export, told apart by the first character.

    Raises
    ------
    ListRefused
        When it is neither.

    """
    text = body.decode("utf-8-sig", "replace")
    rows, as_of = _json(text) if text.lstrip()[:1] == "{" else _csv(text)
    rejected: Counter[str] = Counter()
    found: list[Indicator] = []
    for row in rows:
        try:
            found += _indicators(row)
        except ValueError:
            rejected["malformed"] += 1
    return Parsed(indicators=merged(found), rejected=rejected, as_of=as_of)


class _Row(msgspec.Struct, frozen=True):
    url: str
    dateadded: str
    url_status: str = ""
    last_online: str | None = None
    tags: Sequence[str] | None = None
    urlhaus_link: str = ""


def _json(text: str) -> tuple[Iterator[_Row | None], None]:
    try:
        decoded = msgspec.json.decode(text, type=dict[str, list[msgspec.Raw]])
    except msgspec.MsgspecError as error:
        raise ListRefused("not_the_format", f"not URLhaus' JSON: {error}") from error

    def read() -> Iterator[_Row | None]:
        for entries in decoded.values():
            for entry in entries:
                try:
                    yield msgspec.json.decode(entry, type=_Row)
                except msgspec.MsgspecError:
                    yield None

    return read(), None


def _csv(text: str) -> tuple[Iterator[_Row | None], datetime | None]:
    lines = text.splitlines()
    comments = [line for line in lines if line.startswith("#")]
    if comments and "URLhaus" not in "".join(comments):
        raise ListRefused("not_the_format", "a CSV whose banner does not say URLhaus")
    columns = next(
        (line.lstrip("# ").split(",") for line in comments if "dateadded" in line),
        list(_COLUMNS),
    )
    if not {"url", "dateadded"} <= set(columns):
        raise ListRefused("not_the_format", "a CSV without the columns url and dateadded")
    dates = (found[1] for line in comments if (found := _UPDATED.search(line)))
    data = io.StringIO("\n".join(line for line in lines if line and not line.startswith("#")))

    def read() -> Iterator[_Row | None]:
        try:
            for cells in csv.reader(data, strict=True):
                yield _of_cells(dict(zip(columns, cells, strict=False)), len(cells) == len(columns))
        except csv.Error:
            yield None

    return read(), next((_time(date) for date in dates), None)


def _of_cells(cells: Mapping[str, str], whole: bool) -> _Row | None:  # noqa: FBT001 -- one caller
    if not whole:
        return None
    return _Row(
        url=cells["url"],
        dateadded=cells["dateadded"],
        url_status=cells.get("url_status", ""),
        last_online=cells.get("last_online"),
        tags=cells.get("tags", "").split(","),
        urlhaus_link=cells.get("urlhaus_link", ""),
    )


def _indicators(row: _Row | None) -> Iterator[Indicator]:
    if row is None:
        raise ValueError("a row without its columns")
    first_seen = _time(row.dateadded)
    last_seen = _time(row.last_online) if row.last_online else first_seen
    for value in values.of_url(row.url):
        yield Indicator(
            kind=value.kind,
            value=value.text,
            flag=FLAG,
            family=_family(row.tags or ()),
            first_seen=first_seen,
            last_seen=max(first_seen, last_seen),
            reference=row.urlhaus_link,
        )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.strip().removesuffix(" UTC")).replace(tzinfo=UTC)


def _family(tags: Sequence[str]) -> str:
    for tag in tags:
        clean = tag.strip()
        if _FAMILY.fullmatch(clean) and not clean.isupper() and clean not in _NO_FAMILY:
            return clean
    return ""
