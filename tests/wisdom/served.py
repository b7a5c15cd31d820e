"""Small lists as they serve, without a database."""

from datetime import UTC, datetime, timedelta

from feeds.indicators import Indicator
from feeds.serving import Serving
from feeds.values import of_text

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AS_OF = datetime(2026, 11, 24, 6, tzinfo=UTC)


def serving(
    name: str,
    text: str,
    *,
    flag: str = "c2",
    family: str = "",
    origin: str = "",
    until: timedelta = timedelta(days=7),
) -> Serving:
    """Make a list of the entries in a text, all of one flag."""
    found = [
        Indicator(kind=value.kind, value=value.text, flag=flag, family=family, reference="ref")
        for entry in text.split()
        for value in of_text(entry)
    ]
    return Serving(
        name=name,
        title=f"List {name}",
        origin=origin or name,
        licence="CC0-1.0",
        redistribute=True,
        release=f"release-{name}",
        as_of=AS_OF,
        fetched_at=NOW,
        indicators=tuple((indicator, NOW + until) for indicator in found),
    )
