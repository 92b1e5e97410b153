"""One pair of certificate and key: read, tried, and noticed when it changes.

This file decides by what a change of the files is noticed, that a pair is served only after a handshake has
succeeded with it, and what is said of the end of its certificate.
"""

from __future__ import annotations

import logging
import os
import ssl
import time
from typing import TYPE_CHECKING

from aioserve.errors import TlsError
from aioserve.listen.leaf import read_leaf
from aioserve.listen.tls import make_context

if TYPE_CHECKING:
    from aioserve.listen.settings import Tls
    from aioserve.listen.tls import Pair

    Signature = tuple[tuple[int, ...] | None, ...]

logger = logging.getLogger(__name__)

DAY = 86_400.0  # seconds
SOON = 14 * DAY  # before its end


class KeptPair:
    """A pair, and what is served of it.

    Args:
        tls: says how it is served, and names what it shares with others.
        pair: its files.

    Attributes:
        pair: as given.
        leaf: the certificate.
        context: has the certificate, its key, and the authorities of clients.

    Raises:
        ConfigurationError, TlsError: as by `make_context`.
    """

    def __init__(self, tls: Tls, pair: Pair) -> None:
        self.pair = pair
        self._tls = tls
        self._files = [*filter(None, (*pair, tls.password_file, tls.client_ca))]
        self._said: tuple[bytes, str] | None = None  # of which certificate something was, and what
        self._said_at = 0.0
        self._signature = self._look()  # before reading, so that what changes meanwhile is noticed
        self.load()

    def load(self) -> None:
        """Read the files into a context of their own, try it, and serve it.

        Raises:
            TlsError: they cannot be used; what is served stays.
        """
        context = make_context(self._tls, self.pair)
        try:
            leaf = read_leaf(context)
        except (ssl.SSLError, ValueError) as error:  # ValueError: Python cannot read a field
            reason = getattr(error, "reason", None) or error
            raise TlsError(f"{self.pair}: no handshake succeeds with it: {reason}") from None
        self.leaf, self.context = leaf, context

    def notice_change(self) -> bool:
        """Whether the files are others than when this was asked last."""
        before, self._signature = self._signature, self._look()
        return before != self._signature

    def problem(self, now: float) -> str:
        """Say why no client will have the certificate; empty where there is no reason.

        Args:
            now: in seconds since the epoch.
        """
        if self.leaf.complaint:
            return f"clients refuse the certificate: {self.leaf.complaint}"
        if self.leaf.ends is not None and self.leaf.ends <= now:
            return f"the certificate has expired, on {format_date(self.leaf.ends)}"
        return ""

    def tell(self, now: float) -> None:
        """Log what must be done about the certificate, if anything; the same is said once a day at most.

        Args:
            now: in seconds since the epoch.
        """
        ends, problem = self.leaf.ends, self.problem(now)
        level, text = logging.ERROR, problem
        if not problem:
            if ends is None or ends - now > SOON:
                return
            days = int((ends - now) // DAY)
            level, text = logging.WARNING, f"the certificate expires in {days} days, on {format_date(ends)}"
        said = self.leaf.der, problem
        if self._said != said or not 0 <= now - self._said_at < DAY:
            self._said, self._said_at = said, now
            logger.log(level, "%s: %s", self.pair, text)

    def _look(self) -> Signature:
        return tuple(map(_signature_of, self._files))


def _signature_of(name: str) -> tuple[int, ...] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - links are followed, as those of certbot are what changes
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def format_date(seconds: float) -> str:
    """Write a time since the epoch for a person."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
