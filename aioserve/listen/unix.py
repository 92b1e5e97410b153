"""Unix sockets: a file that clients connect to.

This file decides whose file may be replaced, who may connect, and which file may be removed in the end.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve.errors import BindError
from aioserve.own_file import OwnFile
from aioserve.values import value

if TYPE_CHECKING:
    from aioserve.listen.addresses import UnixAddress


@value
class SocketFile(OwnFile):
    """The file of a socket that we have bound; its path is whole, whatever becomes of the current folder."""

    def allow(self, mode: int) -> None:
        """Change who may connect.

        Raises:
            BindError: it cannot be changed.
        """
        try:
            self.path.chmod(mode)
        except OSError as error:
            raise BindError(_explain(error, str(self.path))) from None


def listen(address: UnixAddress, *, backlog: int) -> tuple[socket.socket, SocketFile]:
    """Bind a unix socket, and listen.

    Raises:
        BindError: another server listens there, or something else is there, or it cannot be made.
    """
    with ExitStack() as undone:
        try:
            sock = undone.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            sock.setblocking(False)
            _bind(sock, address.path)
            file = SocketFile.at(Path(address.path).absolute())
            undone.callback(file.remove)
            # Until it listens every connect is refused, so nobody gets in under another mode than this. An
            # umask would do as well, but it is the whole process's, and the application may have threads.
            file.allow(address.mode)
            sock.listen(backlog)
        except OSError as error:
            raise BindError(_explain(error, address.path)) from None
        undone.pop_all()
    return sock, file


def _bind(sock: socket.socket, path: str) -> None:
    try:
        sock.bind(path)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        _remove_stale(path)
        sock.bind(path)


def _remove_stale(path: str) -> None:
    """Remove the socket of a server that has ended without doing so.

    Raises:
        BindError: it is no socket, or somebody listens there.
        OSError: nobody can tell, or it cannot be removed.
    """
    with suppress(FileNotFoundError):  # gone meanwhile
        if not stat.S_ISSOCK(os.lstat(path).st_mode):  # a link is none either, wherever it leads
            raise BindError(f"cannot listen on unix:{path}: a file is there that is not a socket")
        if _is_live(path):
            from aioserve.listen.holders import holder_of_path  # noqa: PLC0415 - who is refused

            holder = holder_of_path(path)
            raise BindError(f"cannot listen on unix:{path}: it is in use{f' by {holder}' if holder else ''}")
        Path(path).unlink()


def _is_live(path: str) -> bool:
    """Whether somebody listens, also one whose queue is full, or who speaks in datagrams."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.setblocking(False)
        try:
            client.connect(path)
        except ConnectionRefusedError:
            return False
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EPROTOTYPE):
                raise
        return True


def _explain(error: OSError, path: str) -> str:
    where = f"cannot listen on unix:{path}"
    if error.errno is None:  # said by Python, before the system is asked
        return f"{where}: a path of {len(os.fsencode(path))} bytes is too long for a socket; Linux takes 107"
    return f"{where}: {error.strerror}"
