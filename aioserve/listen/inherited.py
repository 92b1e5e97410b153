"""Sockets that were open before this process began: those of systemd, and those that a parent leaves us.

This file decides which descriptors are such sockets. The protocol is that of sd_listen_fds(3): the variable
LISTEN_PID says whom they are for, LISTEN_FDS how many there are, from descriptor 3 on, and LISTEN_FDNAMES
their names.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from aioserve import send_buffer
from aioserve.errors import BindError
from aioserve.values import value

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_FIRST = 3
_UNNAMED = "unknown"  # as sd_listen_fds_with_names(3) has it
_VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


@value
class HandedOver:
    """What systemd has handed over to this process.

    Attributes:
        descriptors: each with its name.
        meant_for: the process that it was for, where that is another one; else 0.
    """

    descriptors: tuple[tuple[int, str], ...] = ()
    meant_for: int = 0

    def numbers(self, name: str) -> list[int]:
        """Return the descriptors of a name, or all where it is empty.

        Raises:
            BindError: there are none.
        """
        found = [number for number, own in self.descriptors if name in (own, "")]
        if found:
            return found
        if self.meant_for:
            why = f"its sockets are for process {self.meant_for}, this is {os.getpid()} (start it by exec)"
        elif self.descriptors:
            names = ", ".join(dict.fromkeys(own for _, own in self.descriptors))
            why = f"its sockets are named {names}"
        else:
            why = "it has handed over no socket; is there a .socket unit?"
        raise BindError(f"cannot listen on systemd{name and ':'}{name}: {why}")


def receive(environment: MutableMapping[str, str]) -> HandedOver:
    """Read what systemd says, and forget it, so that no child takes the sockets for its own.

    What is for another process stays as it is.

    Raises:
        BindError: the variables contradict one another.
    """
    pid, count, names = (environment.get(name, "") for name in _VARIABLES)
    if not (pid.isascii() and pid.isdecimal() and count):
        return HandedOver()
    if int(pid) != os.getpid():
        return HandedOver(meant_for=int(pid))
    for name in _VARIABLES:
        environment.pop(name, None)
    if not (count.isascii() and count.isdecimal() and len(count) < 6):
        raise BindError(f"cannot take sockets from systemd: LISTEN_FDS is {count!r}")
    numbers = range(_FIRST, _FIRST + int(count))
    named = names.split(":") if names else [_UNNAMED] * len(numbers)
    if len(named) != len(numbers):
        raise BindError(f"cannot take sockets from systemd: LISTEN_FDNAMES has not {count} names: {names!r}")
    for number in numbers:
        with suppress(OSError):  # that it is not open is said when it is taken
            os.set_inheritable(number, False)
    return HandedOver(tuple(zip(numbers, named, strict=True)))


def take(number: int, *, backlog: int) -> socket.socket:
    """Make a descriptor ours: it is closed with the socket, does not block, and no child inherits it.

    Raises:
        BindError: it is not a socket that we can accept connections from; then it stays as it is.
    """
    try:
        sock = socket.socket(fileno=number)
    except OSError:
        raise refusal(number, "it is not a socket" if _is_open(number) else "it is not open") from None
    reason = _unsuitable(sock)
    if reason:
        sock.detach()
        raise refusal(number, reason)
    sock.set_inheritable(False)
    sock.setblocking(False)
    sock.listen(backlog)
    send_buffer.bound(sock)
    return sock


def refusal(number: int, reason: str) -> BindError:
    """Make the error of a descriptor that cannot be used."""
    return BindError(f"cannot listen on fd://{number}: {reason}")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _unsuitable(sock: socket.socket) -> str:
    """Say why it is no socket that we can accept connections from; nothing where it is one."""
    if sock.family not in _FAMILIES:
        return "it is a socket of another family than IPv4, IPv6 and unix"
    if sock.type != socket.SOCK_STREAM:
        return "it is not a stream socket"
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "it does not listen"
    return ""
