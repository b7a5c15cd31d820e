"""Event times: every spelling that clients send, as int64 nanoseconds since 1970 UTC.

What clients write, ``2026-05-01T12:00:00[.fraction]`` with ``Z`` or an offset, is read column-wise:
the strings become a matrix of characters and the arithmetic is done on its rows. Everything else
(a blank instead of the T, epoch numbers) is read one by one.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import cast

import numpy as np
from numpy.typing import NDArray

from analytics.ingest.reasons import Reason

Spelling = str | int | float

SECOND = 1_000_000_000
EARLIEST = 946_684_800 * SECOND
"""2000-01-01T00:00:00Z in nanoseconds: what is older is a clock that was never set."""
LATEST_AHEAD = 86_400 * SECOND
"""Nanoseconds that an event may lie ahead of the server's clock: a wrong zone, not a wrong year."""

NO_DATE = -(2**63)
"""The date that is none: no validity begins there."""
UNSET_SPELLINGS = frozenset({"", "-", "0001-01-01T00:00:00Z"})
_SHORTEST = 20
"""Characters of ``2026-05-01T12:00:00Z``."""
_LONGEST = 35
"""Characters with nine fractional digits and an offset with a colon."""
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?"
    r"\s*(Z|z|UTC|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d{1,19}(\.\d{1,19})?([eE]\+?\d{1,2})?", re.ASCII)
_DAYS_BEFORE = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], dtype=np.int64)
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_DIGIT_COLUMNS = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18])
"""Places of the digits before the fraction."""
_INVALID, _LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
_EPOCH = date(1970, 1, 1)


def read_times(
    spellings: Sequence[Spelling], *, now: int
) -> tuple[NDArray[np.int64], list[tuple[int, Reason]]]:
    """Read a column of times.

    Parameters
    ----------
    spellings
        ``n`` values as they were decoded from JSON.
    now
        The server's time in nanoseconds since 1970.

    Returns
    -------
    times
        int64 nanoseconds, shape ``(n,)``; undefined where a reason is given.
    rejected
        ``(row, reason)`` of each time that is missing, invalid, or too far in the future.

    """
    times = _read_common(spellings)
    rejected: list[tuple[int, Reason]] = []
    for row in np.flatnonzero(times == _INVALID).tolist():
        value, reason = read_time(spellings[row])
        times[row] = max(_INVALID, min(value, _LAST))  # year 1 and year 9999 do not fit
        if reason is not None:
            rejected.append((row, reason))
    wrong = {row for row, _ in rejected}
    for row in np.flatnonzero((times < EARLIEST) | (times > now + LATEST_AHEAD)).tolist():
        if row not in wrong:
            early = times[row] < EARLIEST
            rejected.append((row, Reason.TS_INVALID if early else Reason.TS_FUTURE))
    return times, rejected


def read_time(spelling: Spelling | None) -> tuple[int, Reason | None]:
    """Read one time; the slow twin of the column-wise reading, and its fallback."""
    if spelling is None or (isinstance(spelling, str) and spelling.strip() in UNSET_SPELLINGS):
        return 0, Reason.TS_MISSING
    if isinstance(spelling, str):
        match = _FORM.fullmatch(spelling.strip())
        if match is not None:
            return _from_match(match)
        if (number := _NUMBER.fullmatch(spelling.strip())) is None:
            return 0, Reason.TS_INVALID
        return _from_number(float(number[0]) if number[1] or number[2] else int(number[0]))
    return _from_number(spelling)


def read_date(spelling: Spelling) -> int:
    """Read a certificate's date as seconds since 1970, `NO_DATE` for none and for what is no date.

    Validity may begin before 1970 and end in the year 9999, which nanoseconds could not hold. A
    certificate whose dates cannot be read is as much evidence as any other.
    """
    text = spelling.strip() if isinstance(spelling, str) else ""
    if isinstance(spelling, str):
        if text in UNSET_SPELLINGS:
            return NO_DATE
        if (match := _FORM.fullmatch(text)) is None:
            match = _FORM.fullmatch(_rfc3339(text))
        if match is not None:
            value, reason = _from_match(match)
            return NO_DATE if reason else value // SECOND
    value, reason = read_time(spelling)
    return NO_DATE if reason else value // SECOND


def _rfc3339(text: str) -> str:
    """Rewrite OpenSSL's ``Feb 12 18:07:27 2015 GMT``; anything else stays as it is."""
    parts = text.split()
    if len(parts) not in {4, 5} or parts[0] not in _MONTHS:
        return text
    month = _MONTHS.index(parts[0]) + 1
    return f"{parts[3]}-{month:02d}-{parts[1]:0>2} {parts[2]}Z"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _from_match(match: re.Match[str]) -> tuple[int, Reason | None]:
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    try:
        days = (date(year, month, day) - _EPOCH).days
    except ValueError:
        return 0, Reason.TS_INVALID
    if hour > 23 or minute > 59 or second > 60:  # a leap second is the next minute's first
        return 0, Reason.TS_INVALID
    offset = match[8] or "Z"
    shift = 0
    if offset[0] in "+-":
        hours, minutes = int(offset[1:3]), int(offset[-2:])
        if hours > 23 or minutes > 59:
            return 0, Reason.TS_INVALID
        shift = (hours * 60 + minutes) * 60 * (1 if offset[0] == "+" else -1)
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second - shift
    return seconds * SECOND + int((match[7] or "0").ljust(9, "0")), None


def _from_number(number: float) -> tuple[int, Reason | None]:
    """Read an epoch number: seconds, milli-, micro- or nanoseconds by its magnitude.

    A fraction is rounded to microseconds: a float of this size holds a quarter of one.
    """
    if not number > 0:
        return 0, Reason.TS_INVALID
    for limit, scale in ((1e11, SECOND), (1e14, 1_000_000), (1e17, 1_000), (9e18, 1)):
        if number < limit:
            whole = int(number)
            return whole * scale + round((number - whole) * scale / 1000) * 1000, None
    return 0, Reason.TS_INVALID


def _read_common(spellings: Sequence[Spelling]) -> NDArray[np.int64]:
    """Read what clients write, column-wise; every other row is `_INVALID`.

    That is ``YYYY-MM-DDTHH:MM:SS[.f{1,9}]`` with ``Z``, ``+HHMM`` or ``+HH:MM`` behind. Spellings
    of one length are read together: a client writes a handful of lengths.
    """
    count = len(spellings)
    times = np.full(count, _INVALID, dtype=np.int64)
    if not count:
        return times
    try:
        texts = cast("Sequence[str]", spellings)
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=count)
    except TypeError:  # somebody writes numbers
        texts = [each if isinstance(each, str) else "" for each in spellings]
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=count)
    for length in np.flatnonzero(np.bincount(np.minimum(lengths, _LONGEST + 1))).tolist():
        if not _SHORTEST <= length <= _LONGEST:
            continue
        rows = np.flatnonzero(lengths == length)
        chosen = texts if len(rows) == count else [texts[row] for row in rows.tolist()]
        block = np.frombuffer("".join(chosen).encode("ascii", "replace"), dtype=np.uint8)
        times[rows] = _read_block(np.ascontiguousarray(block.reshape(len(rows), length).T))
    return times


def _read_block(chars: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Read times of one length; `chars` are their characters by place, shape ``(length, n)``."""
    length = len(chars)
    times = np.full(chars.shape[1], _INVALID, dtype=np.int64)
    digits = chars - np.uint8(48)  # wraps below "0", which leaves it past nine
    is_zulu = chars[-1] == ord("Z")
    if is_zulu.all():  # nearly always
        return _read_stamps(chars, digits, length - 1)
    signed = {
        5: (chars[-5] == ord("+")) | (chars[-5] == ord("-")),
        6: ((chars[-6] == ord("+")) | (chars[-6] == ord("-"))) & (chars[-3] == ord(":")),
    }
    for width, chosen in ((1, is_zulu), (6, signed[6]), (5, signed[5] & ~signed[6])):
        if not chosen.any():
            continue
        stamps = _read_stamps(chars[:, chosen], digits[:, chosen], length - width)
        if width > 1:
            shift, sound = _offsets(chars[-width][chosen], digits[-width + 1 :, chosen])
            stamps = np.where(sound & (stamps != _INVALID), stamps - shift, _INVALID)
        times[chosen] = stamps
    return times


def _offsets(
    sign: NDArray[np.uint8], digits: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read offsets from UTC, in nanoseconds, and which of them are any."""
    fields = digits[[0, 1, -2, -1]]
    tens = fields.astype(np.int64)
    hours, minutes = tens[0] * 10 + tens[1], tens[2] * 10 + tens[3]
    sound = (fields <= 9).all(axis=0) & (hours < 24) & (minutes < 60)
    shift = (hours * 60 + minutes) * 60 * SECOND
    return np.where(sign == ord("-"), -shift, shift), sound


def _read_stamps(
    chars: NDArray[np.uint8], digits: NDArray[np.uint8], width: int
) -> NDArray[np.int64]:
    """Read the part before the zone, `width` characters of each; `_INVALID` where it is none."""
    times = np.full(chars.shape[1], _INVALID, dtype=np.int64)
    places = width - 20
    if width != 19 and not 1 <= places <= 9:
        return times
    valid = (digits[_DIGIT_COLUMNS] <= 9).all(axis=0)
    for column, letter in ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")):
        valid &= chars[column] == ord(letter)
    if places > 0:
        valid &= (chars[19] == ord(".")) & (digits[20:width] <= 9).all(axis=0)
    tens = digits[_DIGIT_COLUMNS[::2]].astype(np.int32)
    pairs = tens * 10 + digits[_DIGIT_COLUMNS[1::2]]
    century, year, month, day, hour, minute, second = pairs
    valid &= (hour < 24) & (minute < 60) & (second < 60)
    dates = (century * 100 + year) * 10_000 + month * 100 + day
    if len(dates) and (dates == dates[0]).all():  # nearly always
        days, sound = _days(dates[:1])
    else:
        days, sound = _days(dates)
    valid &= sound
    seconds = days * 86_400 + (hour * 3600 + minute * 60 + second)
    fraction = np.zeros(len(times), dtype=np.int32)
    for place in range(max(places, 0)):
        fraction = fraction * 10 + digits[20 + place]
    fraction *= 10 ** (9 - max(places, 0))
    return np.where(valid, seconds * SECOND + fraction, times)


def _days(dates: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Count days from 1970-01-01 to dates written as ``yyyymmdd``, and say which are dates.

    In the Gregorian calendar, for the years that int64 nanoseconds hold.
    """
    year, rest = np.divmod(dates.astype(np.int64), 10_000)
    month, day = np.divmod(rest, 100)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    month_safe = np.clip(month, 1, 12)
    sound = (month == month_safe) & (day >= 1)
    sound &= day <= _MONTH_DAYS[month_safe] + (leap & (month == 2))
    sound &= (year >= 1970) & (year <= 2200)
    before = year - 1
    whole = 365 * before + before // 4 - before // 100 + before // 400 - 719_162
    return whole + _DAYS_BEFORE[month_safe] + (leap & (month > 2)) + day - 1, sound


def render_date(seconds: int) -> str:
    """Write a certificate's date as RFC 3339 in UTC; the years that clients can read are kept."""
    bounded = min(max(seconds, _FIRST_YEAR), _LAST_YEAR)
    return f"{np.datetime64(bounded, 's')}Z"


_FIRST_YEAR = -62_135_596_800  # 0001-01-01
_LAST_YEAR = 253_402_300_799  # 9999-12-31T23:59:59Z


def render_time(nanoseconds: int) -> str:
    """Write a time as RFC 3339 in UTC with microseconds, what lies below cut off."""
    seconds, rest = divmod(nanoseconds, SECOND)
    stamp = str(np.datetime64(seconds, "s"))
    return f"{stamp}.{rest // 1000:06d}Z"
