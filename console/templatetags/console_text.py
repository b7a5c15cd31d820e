"""Numbers and times as the console writes them."""

from datetime import UTC, datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def grouped(number: int) -> str:
    """Write an integer with thin spaces between groups of three digits."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


@register.filter
def clock(at: datetime | None) -> str:
    """Write a time in UTC to the second, readable by machines too; a dash for none."""
    if at is None:
        return "\N{EN DASH}"
    utc = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}">{}</time>', utc.isoformat(), utc.strftime("%Y-%m-%d %H:%M:%S")
    )


@register.filter
def day(at: datetime) -> SafeString:
    """Write the UTC day of a time, readable by machines too."""
    utc = at.astimezone(UTC)
    return format_html('<time datetime="{0}">{0}</time>', utc.date().isoformat())


@register.filter
def age(at: datetime | None, now: datetime) -> str:
    """Write how long ago `at` was, in its largest whole unit; a dash for none."""
    if at is None:
        return "\N{EN DASH}"
    passed = max(now - at, timedelta(0))
    for unit, name in (
        (timedelta(days=1), "d"),
        (timedelta(hours=1), "h"),
        (timedelta(minutes=1), "min"),
    ):
        if passed >= unit:
            return f"{passed // unit}\N{NO-BREAK SPACE}{name}"
    return f"{passed.seconds}\N{NO-BREAK SPACE}s"
