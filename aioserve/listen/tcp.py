"""TCP sockets: what a host and a port stand for, and one socket for each of that.

This file decides with which options a port is bound, and what is said when it cannot be had.
"""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve import send_buffer
from aioserve.errors import BindError

if TYPE_CHECKING:
    from aioserve.listen.addresses import TcpAddress

    Place = tuple[str, int] | tuple[str, int, int, int]

NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What the system says of an address, or a family, that this machine does not have."""


def resolve(address: TcpAddress) -> list[tuple[socket.AddressFamily, Place]]:
    """Return what a host and a port stand for, one each, in the system's order.

    Raises:
        BindError: there is no such name.
    """
    host, port = address.host, address.port
    name = host.encode("ascii") if host.isascii() else host  # as a text it would load Unicode's tables
    try:
        found = socket.getaddrinfo(name or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        if getattr(error, "errno", None) == socket.EAI_SERVICE:
            raise BindError(f"cannot listen on {host}: there is no service named {port!r}") from None
        reason = getattr(error, "strerror", None) or error
        raise BindError(f"cannot listen on {host!r}: {reason}") from None
    places = [(family, place) for family, _, _, _, place in found]
    return list(dict.fromkeys(places))  # type: ignore[arg-type]  # of a family with ports


def listen(
    family: socket.AddressFamily, place: Place, *, backlog: int, must_share: bool = False
) -> socket.socket:
    """Bind one socket, and listen.

    Args:
        family: of the address.
        place: the address.
        backlog: how many connections may wait.
        must_share: other processes listen on the same port, with sockets of their own.

    Raises:
        OSError: it cannot be had.
    """
    with ExitStack() as opened:
        sock = opened.enter_context(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        # A port whose last connections are still in TIME_WAIT can be had again; one that is served cannot.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if must_share:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # the same on every system
        send_buffer.bound(sock)
        sock.setblocking(False)
        sock.bind(place)
        sock.listen(backlog)
        opened.pop_all()
    return sock


def explain(error: OSError, host: str, port: int) -> str:
    """Say in one line why an address cannot be had, and what helps."""
    where = f"cannot listen on {host} port {port}"
    match error.errno:
        case errno.EADDRINUSE:
            from aioserve.listen.holders import holder_of_port  # noqa: PLC0415 - who is refused

            holder = holder_of_port(port)
            return f"{where}: it is in use{f' by {holder}' if holder else ''}"
        case errno.EACCES | errno.EPERM if port < 1024:
            return (
                f"{where}: ports below 1024 are privileged; take a socket from a systemd .socket unit, or "
                f"allow it by: setcap cap_net_bind_service=+ep {Path(sys.executable).resolve()}"
            )
        case number if number in NOT_HERE:
            return f"{where}: this machine does not have that address"
        case _:
            return f"{where}: {error.strerror}"
