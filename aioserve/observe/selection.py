"""Which requests the access log tells of.

This file decides it by three rules, in this order: what is to be skipped is left out; what went wrong or was
slow is always there; of the rest a sample is. Slow ones are told of in the log of messages as well, with
where their time went.
"""

from __future__ import annotations

import fnmatch
import logging
import random
import re
from typing import TYPE_CHECKING

from aioserve.observe.formats import format_duration, format_request_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aioserve.kinds import Skip
    from aioserve.observe.access import AccessRecord

logger = logging.getLogger(__name__)

_WRONG = 400  # the lowest status of an error (RFC 9110 §15)


class Selection:
    """Says of each record whether it is wanted.

    Args:
        skips: globs of paths, each with the statuses for which it counts.
        sample: the part of all others that is wanted, from 0 to 1.
        slow: from how many seconds on a request is slow; 0 = none is.
        chance: returns a number from 0 to below 1.
    """

    def __init__(
        self,
        skips: Iterable[Skip] = (),
        sample: float = 1.0,
        slow: float = 0.0,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._skips = [(_compile_glob(glob), _compile_statuses(statuses)) for glob, statuses in skips]
        self._sample = sample
        self._slow = slow
        self._chance = chance

    def wants(self, record: AccessRecord) -> bool:
        """Tell whether a record is wanted; a slow one is told of."""
        is_slow = bool(self._slow) and record.duration >= self._slow
        if is_slow:
            logger.warning("slow: %s", _describe(record))
        if self._skips and self._skipped(record):
            return False
        return is_slow or record.status >= _WRONG or self._sample >= 1 or self._chance() < self._sample

    def _skipped(self, record: AccessRecord) -> bool:
        if record.message is None:
            return False
        path, status = record.message.raw_path, str(record.status)
        return any(glob(path) and statuses(status) for glob, statuses in self._skips)


def _compile_glob(glob: str) -> Callable[[str], object]:
    return re.compile(fnmatch.translate(glob)).match


def _compile_statuses(statuses: str) -> Callable[[str], object]:
    """Make a test for statuses such as ``2xx 304``; of none, one that all pass."""
    choices = "|".join(statuses.replace("x", "[0-9]").split()) or "[0-9]+"
    return re.compile(choices).fullmatch


def _describe(record: AccessRecord) -> str:
    text = f'"{format_request_line(record)}" {record.status} took {format_duration(record.duration)}'
    if record.times is None:
        return text
    queue, handler, sending = map(format_duration, record.times)
    return f"{text}: {queue} in the queue, {handler} in the handler, {sending} to send"
