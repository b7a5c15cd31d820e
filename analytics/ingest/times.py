"""Event times: every spelling that clients send, as int64 nanoseconds since 1970 UTC.

The common spelling, ``2026-05-01T12:00:00[.fraction]Z``, is read column-wise: the strings become a
matrix of characters and the arithmetic is done on its columns. Everything else (numeric offsets
with and without a colon, a blank instead of the T, epoch numbers) is read one by one.
"""

import re
from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.ingest.reasons import Reason

Spelling = str | int | float

SECOND = 1_000_000_000
EARLIEST = 946_684_800 * SECOND
"""2000-01-01T00:00:00Z in nanoseconds: what is older is a clock that was never set."""
LATEST_AHEAD = 86_400 * SECOND
"""Nanoseconds that an event may lie ahead of the server's clock: a wrong zone, not a wrong year."""

UNSET_SPELLINGS = frozenset({"", "-", "0001-01-01T00:00:00Z"})
_WIDTH = 36  # characters of the longest spelling, nine fractional digits and an offset, plus one
_FORM = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?"
    r"\s*(Z|z|UTC|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d{1,19}(\.\d{1,19})?([eE]\+?\d{1,2})?", re.ASCII)
_DAYS_BEFORE = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334], dtype=np.int64)
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_DIGIT_COLUMNS = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18])
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


def _days(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count days since 1970-01-01 in the Gregorian calendar."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    before = year - 1
    whole = 365 * before + before // 4 - before // 100 + before // 400 - 719_162
    result: NDArray[np.int64] = whole + _DAYS_BEFORE[month] + (leap & (month > 2)) + day - 1
    return result


def _read_common(spellings: Sequence[Spelling]) -> NDArray[np.int64]:
    """Read ``YYYY-MM-DDTHH:MM:SS[.f{1,9}]Z`` column-wise; every other row is `_INVALID`."""
    count = len(spellings)
    times = np.full(count, _INVALID, dtype=np.int64)
    if not count:
        return times
    texts = [each if isinstance(each, str) else "" for each in spellings]
    try:
        packed = np.array(texts, dtype=f"S{_WIDTH}")
    except UnicodeEncodeError:
        return times  # somebody's digits are not ASCII: read one by one
    chars = packed.view(np.uint8).reshape(count, _WIDTH)
    digits = chars - np.uint8(48)  # wraps below "0", which leaves it past nine
    is_digit = digits <= 9
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=count)
    fits = (chars[:, _WIDTH - 1] == 0) & is_digit[:, _DIGIT_COLUMNS].all(axis=1)
    for column, letter in ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")):
        fits &= chars[:, column] == ord(letter)
    # the run of digits behind the point, at most nine, closed by Z and nothing else
    run = np.cumprod(is_digit[:, 20:29], axis=1, dtype=np.uint8).sum(axis=1, dtype=np.int64)
    dotted = fits & (chars[:, 19] == ord(".")) & (run > 0)
    end = np.where(dotted, 20 + run, 19)
    rows = np.arange(count)
    fits &= (chars[rows, end] == ord("Z")) & (lengths == end + 1)
    chosen = np.flatnonzero(fits)
    if not len(chosen):
        return times
    part = digits[chosen]
    fraction = np.zeros(len(chosen), dtype=np.int64)
    for place in range(int(run[chosen].max(initial=0))):
        used = dotted[chosen] & (place < run[chosen])
        fraction += np.where(used, part[:, 20 + place], 0).astype(np.int64) * 10 ** (8 - place)
    pairs = part[:, _DIGIT_COLUMNS[::2]].astype(np.int64) * 10 + part[:, _DIGIT_COLUMNS[1::2]]
    year = pairs[:, 0] * 100 + pairs[:, 1]
    month, day, hour, minute, second = pairs[:, 2:].T
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    month_safe = np.clip(month, 1, 12)
    valid = (month == month_safe) & (day >= 1) & (hour < 24) & (minute < 60) & (second < 60)
    valid &= day <= _MONTH_DAYS[month_safe] + (leap & (month == 2))
    valid &= (year >= 1970) & (year <= 2200)  # what int64 nanoseconds hold, with room
    seconds = _days(year, month_safe, day) * 86_400 + hour * 3600 + minute * 60 + second
    times[chosen[valid]] = seconds[valid] * SECOND + fraction[valid]
    return times


def render_time(nanoseconds: int) -> str:
    """Write a time as RFC 3339 in UTC with microseconds, what lies below cut off."""
    seconds, rest = divmod(nanoseconds, SECOND)
    stamp = str(np.datetime64(seconds, "s"))
    return f"{stamp}.{rest // 1000:06d}Z"
