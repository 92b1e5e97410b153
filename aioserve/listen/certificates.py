"""The certificates that are served, from the first handshake to the last.

This file decides which of them a client is shown, when their files are read again, and what is said of their
end. The loop is given one context for good, which has no certificate itself: when a client has said which
name it wants, or none, the handshake goes on in the context of a pair, which is replaced as a whole. asyncio
and uvloop both leave that to Python's ssl. Handshakes and connections that have begun keep what they have.

Rejected: to load a new pair into the context that is served. Where the certificate is taken and its key is
not, neither the old pair nor the new one is left.

Cheap is: to look at the files, one stat for each twice a second, by a timer and not by a thread. Dear, at
2 ms and more for each pair, is reading them, which is done only when they have changed. Where there is no TLS
nothing of this is there.
"""

from __future__ import annotations

import logging
import ssl
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from aioserve.errors import ConfigurationError, StartupError, TlsError, first_of
from aioserve.listen.handshakes import watch_handshakes
from aioserve.listen.kept_pair import DAY, SOON, KeptPair, format_date
from aioserve.listen.server_names import BadNamesHook, find_name, index_names
from aioserve.listen.tls import make_context, pairs_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    from aioserve.listen.settings import Tls

    CallLater = Callable[..., asyncio.TimerHandle]

logger = logging.getLogger(__name__)

_PERIOD = 0.5  # seconds between looks at the files


def open_certificates(tls: Tls) -> Certificates | None:
    """Load what is asked for; None where TLS is not.

    Raises:
        ConfigurationError: the options contradict each other.
        TlsError: a file cannot be used.
    """
    pairs_of(tls)
    if not tls.is_spoken:
        return None
    with files_of(tls) as found:
        return Certificates(found)


@contextmanager
def files_of(tls: Tls) -> Iterator[Tls]:
    """Have a self-signed certificate in files, and settings that name them; others stay as they are.

    Several processes that are to show the same one are started within the block.

    Raises:
        ConfigurationError: the options contradict each other.
        TlsError: it cannot be made.
    """
    pairs_of(tls)
    if not tls.self_signed:
        yield tls
        return
    from aioserve.listen.self_signed import self_signed_file  # noqa: PLC0415 - for development

    with self_signed_file() as certfile:
        yield replace(tls, certfiles=(certfile,), self_signed=False)


def _read_pairs(tls: Tls) -> list[KeptPair]:
    pairs: list[KeptPair] = []
    problems: list[ConfigurationError | StartupError] = []
    for each in pairs_of(tls):
        try:
            pairs.append(KeptPair(tls, each))
        except (ConfigurationError, TlsError) as problem:
            problems += [problem, *problem.others]
    if problems:
        raise first_of(problems)
    return pairs


class Certificates:
    """The pairs of certificate and key, kept up to date.

    Args:
        tls: names the files.
        clock: the time in seconds since the epoch.

    Attributes:
        context: for the loop; the same as long as this lives.
        is_speaking: the log is told what happens. Where several processes serve, one of them is enough.

    Raises:
        ConfigurationError: the options cannot be followed.
        TlsError: a file cannot be used. Either has the others.
    """

    def __init__(self, tls: Tls, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.is_speaking = True
        self._pairs = _read_pairs(tls)
        self.context = make_context(tls)
        self.context.sni_callback = self._choose
        watch_handshakes(self.context)
        self._hook = BadNamesHook()
        self._timer: asyncio.TimerHandle | None = None
        self._tell_at = 0.0
        self._stale_until = 0.0  # sessions that began before are not taken up again, where clients are judged
        self._knows_clients = tls.client_ca is not None
        self._index()

    @property
    def ends(self) -> dict[str, float]:
        """When each certificate ends, in seconds since the epoch, by its first name or else its file."""
        return {
            next(iter(each.leaf.names), str(each.pair)): each.leaf.ends
            for each in self._pairs
            if each.leaf.ends is not None
        }

    def problems(self) -> Iterator[TlsError]:
        """Say of which certificates no client will have any."""
        for each in self._pairs:
            if problem := each.problem(self._clock()):
                yield TlsError(f"{each.pair}: {problem}")

    def introduce(self) -> None:
        """Tell by what a person knows a certificate that nobody else vouches for."""
        from hashlib import sha256  # noqa: PLC0415 - 2 ms, for one that is made

        for leaf in (each.leaf for each in self._pairs):
            names, fingerprint = ", ".join(leaf.names), sha256(leaf.der).hexdigest()
            logger.info("self-signed certificate for %s; SHA-256 %s", names, fingerprint)

    def watch(self, call_later: CallLater) -> None:
        """From now on look after the files, and tell of certificates that end; until `close`.

        Args:
            call_later: that of the loop.
        """
        self._hook.install()
        self.tell()
        self._timer = call_later(_PERIOD, self._tick, call_later)

    def close(self) -> None:
        """Look at nothing any more; handshakes go on as before."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._hook.remove()

    def reread(self, *, only_changed: bool = False) -> bool:
        """Read the files again; a pair that cannot be used stays what it was, and the log says why.

        It is for the loop's thread, such as for `loop.add_signal_handler`, and raises nothing.

        Args:
            only_changed: leave alone those whose files are what they were, be they good or bad.

        Returns:
            Whether all that was read is in use.
        """
        read: list[KeptPair] = []
        problems: dict[str, None] = {}  # of a file that all pairs share it is said once
        for each in self._pairs:
            if each.notice_change() or not only_changed:
                try:
                    each.load()
                except TlsError as error:
                    problems[str(error)] = None
                else:
                    read.append(each)
        for problem in problems if self.is_speaking else ():
            logger.warning("%s; the certificate read before stays in use", problem)
        if read:
            self._index()
            self._stale_until = self._clock()
            for each in read if self.is_speaking else ():
                until = f"; it expires on {format_date(each.leaf.ends)}" if each.leaf.ends else ""
                logger.info("%s: the certificate was read again%s", each.pair, until)
            self.tell()
        return not problems

    def tell(self) -> None:
        """Tell of ends that are near, and know when to do so again: in a day, or when one comes before."""
        now = self._clock()
        moments = [now + DAY]
        for each in self._pairs:
            if self.is_speaking:
                each.tell(now)
            if each.leaf.ends is not None:
                moments += (moment for moment in (each.leaf.ends - SOON, each.leaf.ends) if moment > now)
        self._tell_at = min(moments)

    def speak(self) -> None:
        """Tell the log what happens from now on."""
        self.is_speaking = True

    def _index(self) -> None:
        self._by_name = index_names((each.leaf.names, each) for each in self._pairs)

    def _choose(
        self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
    ) -> int | None:
        """Hear of a handshake; the name is None where the client sends none, as with an IP address.

        Returns:
            None, or the alert that ends it. OpenSSL then forgets the session, and the client's next try is
            judged anew.
        """
        found = find_name(self._by_name, name) if name else None
        connection.context = (found or self._pairs[0]).context
        if self._knows_clients and connection.session_reused:
            session = connection.session
            if session and session.time <= self._stale_until:
                return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
        return None

    def _tick(self, call_later: CallLater) -> None:
        self._timer = call_later(_PERIOD, self._tick, call_later)
        self.reread(only_changed=True)
        if self._clock() >= self._tell_at:
            self.tell()
