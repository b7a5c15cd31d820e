"""Times of logs as RFC 3339 in UTC, digit for digit.

A double holds an epoch of today to about 240 ns, so no time here passes through one: the digits of
the fraction are those of the log, cut (not rounded) to nanoseconds.

A capture without a clock counts from its own start, so that its times lie in the first hours of
1970. Where the log says when it was opened, they are taken as offsets from then: distances between
events are kept, and the day is the best that the log knows. Where it does not, they stay in 1970.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tawny.formats.parsing import Unmappable

FRACTION_DIGITS = 9  # nanoseconds: the resolution of an event's time in the service
MINUTES_KEPT = 1 << 13  # cached minutes: more than five days, 1 MB
EPOCH_DIGITS = 11  # seconds; twelve digits and more are milliseconds
MILLISECOND_DIGITS = 14  # as milliseconds the year 5138 again
MILLISECONDS_FROM = 10**11  # as seconds this is the year 5138, so it is Zeek's JSON::TS_MILLIS

CLOCKLESS_BELOW = 315_532_800
"""Seconds from 1970 to 1980. No clock that was ever set shows a time before; captures without one
count from zero, and none of them is ten years long."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_TWO_DIGITS = [f"{second:02d}" for second in range(60)]
_NUMBER = re.compile(r"\d{1,20}(?:\.\d*)?(?:[eE][+-]?\d{1,4})?", re.ASCII)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d+))?(?:([Zz])|([+-]\d\d):?(\d\d))?",
    re.ASCII,
)


class Clockface:
    """Turns a log's times into RFC 3339, converting each minute once.

    ``clockless`` becomes true with the first time that was taken as an offset from the log's
    opening (see ``count_from``), and stays so.
    """

    __slots__ = ("_minutes", "_opened", "clockless")

    def __init__(self) -> None:
        self._minutes: dict[int, str] = {}  # from 1980 on, whatever the opening
        self._opened: int | None = None
        self.clockless = False

    def count_from(self, opened: int | None) -> None:
        """Take times before 1980 as offsets from ``opened``, in seconds since 1970.

        None leaves them as they are, and so does an opening before 1980: the machine that wrote it
        had no clock either.
        """
        known = opened is not None and opened >= CLOCKLESS_BELOW
        self._opened = opened if known else None

    def __call__(self, text: str) -> str:
        """Give the time as RFC 3339; Unmappable (``ts_invalid``) where the text is no time.

        Takes epoch seconds (``1700000000.123456``), ISO 8601 and numbers with an exponent.
        """
        whole, _, fraction = text.partition(".")
        if not (whole.isdigit() and len(whole) <= EPOCH_DIGITS and text.isascii()):
            return self._written(*_other(text))
        if fraction and not fraction.isdigit():
            return self._written(*_other(text))
        seconds = int(whole)
        if seconds < CLOCKLESS_BELOW:
            return self._written(seconds, fraction)
        minute = seconds // 60
        stamp = self._minutes.get(minute) or self._minute(minute)
        if not fraction:
            return f"{stamp}{_TWO_DIGITS[seconds % 60]}Z"
        if len(fraction) > FRACTION_DIGITS:
            fraction = fraction[:FRACTION_DIGITS]
        return f"{stamp}{_TWO_DIGITS[seconds % 60]}.{fraction}Z"

    def _minute(self, minute: int) -> str:
        if len(self._minutes) >= MINUTES_KEPT:
            self._minutes.clear()
        stamp = self._minutes[minute] = _stamp(60 * minute)[:-2]
        return stamp

    def _written(self, seconds: int, fraction: str) -> str:
        if self._opened is not None and 0 <= seconds < CLOCKLESS_BELOW:
            seconds += self._opened
            self.clockless = True
        stamp = _stamp(seconds)
        return f"{stamp}.{fraction[:FRACTION_DIGITS]}Z" if fraction else f"{stamp}Z"


def _stamp(seconds: int) -> str:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    except OverflowError as error:
        raise Unmappable("ts_invalid") from error


def _other(text: str) -> tuple[int, str]:
    """Read what is no plain number: seconds since 1970 and the digits of the fraction."""
    match = _ISO.fullmatch(text)
    return _from_iso(match) if match else _from_number(text)


def _from_iso(match: re.Match[str]) -> tuple[int, str]:
    """ISO 8601; a time without a zone is UTC, which is what Zeek writes."""
    date, time, fraction, _, hours, minutes = match.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{time}+00:00")
        if hours is not None:
            sign = -1 if hours[0] == "-" else 1
            moment -= timedelta(hours=int(hours), minutes=sign * int(minutes))
    except (OverflowError, ValueError) as error:
        raise Unmappable("ts_invalid") from error
    return (moment - _EPOCH) // _SECOND, fraction or ""


def _from_number(text: str) -> tuple[int, str]:
    if not _NUMBER.fullmatch(text):
        raise Unmappable("ts_invalid")
    value = Decimal(text)
    if value.adjusted() > MILLISECOND_DIGITS:
        raise Unmappable("ts_invalid")
    if value >= MILLISECONDS_FROM:
        value /= 1000
    nanoseconds = int(value.scaleb(FRACTION_DIGITS))
    seconds, rest = divmod(nanoseconds, 10**FRACTION_DIGITS)
    return seconds, f"{rest:09d}".rstrip("0")
