"""HTTP dates, read and written (RFC 9110 §5.6.7).

This file decides which texts are a date. All three formats of the RFC are read, in the one spelling that its
grammar gives each; the preferred one is written. Nothing here depends on the locale or on a clock.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import cache, lru_cache

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LONG_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_DAY = "|".join(_DAYS)
_LONG_DAY = "|".join(_LONG_DAYS)
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_TIME = "(?P<hour>[01][0-9]|2[0-3]):(?P<minute>[0-5][0-9]):(?P<second>[0-5][0-9]|60)"  # 60: a leap second

_FORMATS = (
    rf"(?:{_DAY}), (?P<day>[0-9]{{2}}) {_MONTH} (?P<year>[0-9]{{4}}) {_TIME} GMT",  # IMF-fixdate
    rf"(?:{_LONG_DAY}), (?P<day>[0-9]{{2}})-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT",  # RFC 850
    rf"(?:{_DAY}) {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} (?P<year>[0-9]{{4}})",  # asctime
)

_EPOCH = date(1970, 1, 1).toordinal()


def parse_http_date(value: str, now: int) -> int | None:
    """Read a date in any of the three formats.

    The day of the week must be one, but need not be the right one: it says nothing that the date does not.

    Args:
        value: the text, without surrounding blanks.
        now: the present, in seconds since the epoch; a two-digit year is one of the hundred that end fifty
            years from now.

    Returns:
        Seconds since the epoch, or None where the text is no date.
    """
    for pattern in _patterns():
        if match := pattern.fullmatch(value):
            break
    else:
        return None
    month = _MONTHS.index(match["month"]) + 1
    day, hour, minute, second = map(int, match.group("day", "hour", "minute", "second"))
    year = int(match["year"])
    if len(match["year"]) == 2:
        year = _full_year(year, (month, day, hour, minute, second), now)
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:  # February 30, or the year 0
        return None
    return days * 86400 + hour * 3600 + minute * 60 + second


@lru_cache(maxsize=1024)  # the same few files are asked for again and again
def format_http_date(seconds: int) -> str:
    """Write an IMF-fixdate such as ``Sun, 06 Nov 1994 08:49:37 GMT``.

    Args:
        seconds: since the epoch, within the years 1 to 9999.
    """
    days, rest = divmod(seconds, 86400)
    day = date.fromordinal(days + _EPOCH)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{_DAYS[day.weekday()]}, {day.day:02} {_MONTHS[day.month - 1]} {day.year:04} {clock} GMT"


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, _FORMATS))


def _full_year(last_digits: int, moment: tuple[int, ...], now: int) -> int:
    """Put a century before a two-digit year.

    §5.6.7: what would be more than fifty years in the future is the most recent such year in the past.
    """
    today = datetime.fromtimestamp(now, UTC)
    latest = today.year + 50
    year = latest - (latest - last_digits) % 100
    if year == latest and moment > (today.month, today.day, today.hour, today.minute, today.second):
        year -= 100
    return year
