"""What workers are started with: the settings, and the sockets that they ask for.

This file decides which edition that is while one takes the place of another, what becomes of the sockets of
either, and that all workers show the same self-signed certificate.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from aioserve.errors import ConfigurationError, TlsError
from aioserve.listen.sockets import Listening, bind_sockets, port_line, rebind
from aioserve.preflight import certificates_of, missing_parts, unusable_log

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.listen.certificates import Certificates
    from aioserve.settings import Settings, Tls


class Edition(NamedTuple):
    """Settings, and what is bound as they say."""

    settings: Settings
    listening: Listening


class Editions:
    """The edition that workers are started with, and the one that is known to work.

    Args:
        settings: of the first.
        read_settings: reads those of the next.

    Attributes:
        current: for the workers that are started now.

    Raises:
        BindError: an address cannot be had.
        ConfigurationError: the settings cannot be followed.
        TlsError: a self-signed certificate cannot be made.
    """

    def __init__(self, settings: Settings, read_settings: Callable[[], Settings]) -> None:
        self._read_settings = read_settings
        self._made: Tls | None = None  # names the files of the self-signed certificate, once it was asked for
        self._is_introduced = False
        self._kept: dict[Tls, Certificates] = {}
        for problem in chain(missing_parts(settings.process), unusable_log(settings.logs)):
            raise problem
        self._files = ExitStack()
        self.current = self._proven = Edition(settings, bind_sockets(settings.bind, settings.metrics.address))
        self._open = self.current.listening  # with that of editions that were, or will have been
        try:
            self.current = self._proven = self._complete()
        except Exception:
            self.forget()
            raise

    def load(self) -> None:
        """Read the settings anew and bind what they ask for; where that fails, nothing has changed.

        Raises:
            BindError, ConfigurationError, TlsError: as when the first was made, or by reading.
        """
        settings = self._read_settings()
        before = self.current
        then = before.settings
        for problem in chain(
            missing_parts(settings.process, then.process), unusable_log(settings.logs, then.logs)
        ):
            raise problem
        self.current = Edition(settings, rebind(settings.bind, self._open, settings.metrics.address))
        try:
            self.current = self._complete()
            # A person waits for what is loaded anew, and would not hear that the last pair was taken.
            if (opened := certificates_of(self.current.settings.tls)) is not None:
                self._kept[self.current.settings.tls] = opened
        except Exception:
            self.current.listening.close(keep=self._open)
            self.current = before
            raise
        self._open = self._open.together_with(self.current.listening)

    def introduce(self) -> None:
        """Tell of a self-signed certificate, once.

        Raises:
            TlsError: it cannot be used with what else is asked for.
        """
        if self._made is not None and not self._is_introduced:
            from aioserve.listen.certificates import Certificates  # noqa: PLC0415 - where there are some

            self._is_introduced = True
            Certificates(self._made).introduce()

    @property
    def certificates(self) -> Certificates | None:
        """The last that could be used, of the current one; None where there have been none."""
        return self._kept.get(self.current.settings.tls)

    def keep_certificates(self, *, is_speaking: bool) -> None:
        """Look at the files, so that a new worker can serve though they cannot be used any more.

        Args:
            is_speaking: nobody else says what is found.
        """
        wanted = {self.current.settings.tls, self._proven.settings.tls}
        self._kept = {tls: kept for tls, kept in self._kept.items() if tls in wanted}
        tls = self.current.settings.tls
        if (kept := self._kept.get(tls)) is not None:
            kept.is_speaking = is_speaking
            kept.reread(only_changed=True)
            return
        with suppress(ConfigurationError, TlsError):  # the worker says so that is started with it
            if (opened := certificates_of(tls)) is not None:
                self._kept[tls] = opened

    def prove(self) -> None:
        """Know that workers serve with the current one."""
        self._proven = self.current

    def settle(self) -> None:
        """Have the current one alone, and close what only others had."""
        self._open.close(keep=self.current.listening)
        self._open = self.current.listening

    def go_back(self) -> None:
        """Have the one that is known to work."""
        self.current = self._proven
        self.settle()

    def close(self) -> None:
        """Close everything: who was started with it has it still."""
        self._open.close()

    def forget(self) -> None:
        """Close everything and remove the files: nobody is there any more who would read them."""
        self.close()
        self._files.close()

    def _complete(self) -> Edition:
        """Return the current one with what else it needs."""
        settings, listening = self.current
        if settings.process.port_file:
            port_line(listening.sockets)
        if not settings.tls.self_signed:
            return self.current
        if self._made is None:
            from aioserve.listen.certificates import files_of  # noqa: PLC0415 - as above

            self._made = self._files.enter_context(files_of(settings.tls))
        tls = replace(settings.tls, self_signed=False, certfiles=self._made.certfiles)
        return Edition(replace(settings, tls=tls), listening)
