"""Numbers, times and severities as the console writes them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

STEP = 1024
"""From one binary unit to the next."""

HTMX_INTEGRITY = "sha384-H5SrcfygHmAuTDZphMHqBJLc3FhssKjG7w/CeCpFReSfwBWDTKpkzPP8c+cLsK+V"
"""Of ``django_htmx/htmx-2.min.js`` (htmx 2.0.10): a browser runs that file or none. A test holds
the installed file to it, so that another version is looked at before it is served."""

SHAPES = {
    5: ("critical", "M5 1h6l4 4v6l-4 4H5l-4-4V5z"),
    4: ("high", "M8 1l7.5 14H.5z"),
    3: ("medium", "M8 .5L15.5 8 8 15.5.5 8z"),
    2: ("low", "M2 2h12v12H2z"),
    1: ("informational", "M8 1a7 7 0 1 0 .01 0z"),
}
"""A severity's word, and the outline of its sign in a square of 16: an octagon, a triangle, a
diamond, a square, a disc. Told apart without colour."""


@register.filter
def grouped(number: int) -> str:
    """Write an integer with thin spaces between groups of three digits."""
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


@register.filter
def tallied(number: int) -> str:
    """Write a count of a table, nothing in a fainter ink: what is there stands out."""
    return grouped(number) if number else mark_safe('<span class="faint">0</span>')


@register.filter
def clock(at: datetime | None) -> str:
    """Write a time in UTC to the second, readable by machines too; a dash for none."""
    if not at:
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
    """Write how long ago `at` was, in its largest whole unit; a dash for none.

    An attribute of nothing is "" in a template, and none as well.
    """
    if not at:
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


@register.filter
def octets(number: float) -> str:
    """Write a number of octets in its largest binary unit, to a tenth below ten."""
    size, unit = float(number), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < STEP:
            break
        size, unit = size / STEP, larger
    digits = 1 if size < 10 and unit != "B" else 0
    return f"{size:.{digits}f}\N{NO-BREAK SPACE}{unit}"


@register.filter
def begin(value: object, length: int) -> str:
    """Write the first characters of a value."""
    return str(value)[:length]


@register.filter
def span(length: timedelta) -> str:
    """Write a length of time in its largest whole unit."""
    return age(datetime.fromtimestamp(0, tz=UTC), datetime.fromtimestamp(0, tz=UTC) + length)


@register.simple_tag
def severity(number: int, word: str = "") -> SafeString:
    """Write a severity as sign, word and colour."""
    name, outline = SHAPES[number]
    return format_html(
        '<span class="sev sev-{}">'
        '<svg viewBox="0 0 16 16" width="11" height="11" aria-hidden="true">'
        '<path d="{}"/></svg>{}</span>',
        number,
        outline,
        word or name,
    )


@register.simple_tag
def chosen(asked: Mapping[str, str], name: str, value: str) -> SafeString:
    """Mark the option of a choice that was asked for."""
    return mark_safe(" selected" if asked.get(name) == value else "")  # noqa: S308 -- a constant


@register.simple_tag
def htmx_integrity() -> str:
    """Return the digest that the browser holds htmx against."""
    return HTMX_INTEGRITY
