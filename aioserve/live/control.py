"""The control socket: who connects to it learns how the server is, once a second.

This file decides that nobody can ask for anything there, that only the server's own user may connect, and
that whoever does not read in time, or says something, is left.
"""

from __future__ import annotations

import selectors
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from aioserve.errors import BindError
from aioserve.listen.addresses import UnixAddress
from aioserve.listen.unix import listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_OWNER_ONLY = 0o600
_BACKLOG = 8
_MOST = 16  # who look on at once; each costs a line of some kilobytes a second


class Control:
    """The socket and those who have connected to it.

    Args:
        path: of the socket.

    Raises:
        BindError: another server listens there, or something else is there, or it cannot be made.
    """

    def __init__(self, path: str) -> None:
        try:
            self._listening, self._file = listen(UnixAddress(path, _OWNER_ONLY), backlog=_BACKLOG)
        except BindError as problem:
            raise BindError(f"--control: {problem}") from None
        self._clients: dict[socket.socket, selectors.BaseSelector] = {}

    @property
    def has_clients(self) -> bool:
        """Whether anybody looks on."""
        return bool(self._clients)

    def attend(self, selector: selectors.BaseSelector, describe: Callable[[], bytes]) -> None:
        """Take those who come from now on.

        Args:
            selector: waits for them.
            describe: makes the line that each is given at once.
        """
        selector.register(self._listening, selectors.EVENT_READ, partial(self._accept, selector, describe))

    def tell(self, line: bytes) -> None:
        """Give all of them a line; those who have not read so many before that it has no room are left."""
        for client in tuple(self._clients):
            self._give(client, line)

    def close(self, *, is_copy: bool = False) -> None:
        """Leave all; in a forked process, without the file."""
        for each in (self._listening, *self._clients):
            each.close()
        if not is_copy:
            self._file.remove()

    def _accept(self, selector: selectors.BaseSelector, describe: Callable[[], bytes]) -> None:
        with suppress(OSError):  # who came has gone, or there are no descriptors left
            client, _ = self._listening.accept()
            if len(self._clients) >= _MOST:
                client.close()
                return
            client.setblocking(False)
            self._clients[client] = selector
            # A client has nothing to say: what can be read is its end, or reason enough to leave it.
            selector.register(client, selectors.EVENT_READ, partial(self._leave, client))
            self._give(client, describe())

    def _give(self, client: socket.socket, line: bytes) -> None:
        try:
            is_whole = client.send(line) == len(line)
        except OSError:
            is_whole = False
        if not is_whole:
            self._leave(client)

    def _leave(self, client: socket.socket) -> None:
        selector = self._clients.pop(client, None)
        if selector is not None:  # else it was left in the same turn
            selector.unregister(client)
            client.close()
