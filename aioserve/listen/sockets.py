"""The sockets that the server accepts on: resolved, bound and listening.

This file decides how an address becomes sockets, and what is said when it cannot be had. Binding happens
before there is an event loop, so that whoever starts the server learns of a taken port by its exit code.
"""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from aioserve import send_buffer
from aioserve.errors import BindError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aioserve.settings import Bind

BACKLOG = 2_048  # connections that wait to be accepted; the kernel may allow fewer
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def bind_sockets(bind: Bind) -> list[socket.socket]:
    """Bind every address that a host and a port stand for.

    Returns:
        Listening sockets; a name with several addresses gives several, all of one port. Those of them that
        this machine does not have are left out, such as ``::1`` where there is no IPv6.

    Raises:
        BindError: the name is unknown, or an address cannot be had; nothing stays bound.
    """
    sockets: list[socket.socket] = []
    problems = []
    with ExitStack() as bound:
        for family, address in _resolve(bind.host, bind.port):
            port = sockets[0].getsockname()[1] if sockets else address[1]
            try:
                sock = _listen(family, (address[0], port, *address[2:]))
            except OSError as error:
                problems.append(BindError(_explain(error, address[0], port)))
                if error.errno not in _NOT_HERE:
                    raise problems[-1] from None
            else:
                sockets.append(bound.enter_context(sock))
        if not sockets:
            raise problems[0]
        bound.pop_all()
    return sockets


def format_address(sock: socket.socket, scheme: str = "http") -> str:
    """Return where a socket can be reached, as a URL: ``http://127.0.0.1:8080``, ``http://[::1]:8080``."""
    host, port = sock.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"{scheme}://{host}:{port}"


def _resolve(host: str, port: int | str) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        if getattr(error, "errno", None) == socket.EAI_SERVICE:
            raise BindError(f"cannot listen on {host}: there is no service named {port!r}") from None
        reason = getattr(error, "strerror", None) or error
        raise BindError(f"cannot listen on {host!r}: {reason}") from None
    addresses = [(family, address) for family, _, _, _, address in found]
    return list(dict.fromkeys(addresses))  # type: ignore[arg-type]  # one each, in the system's order


def _listen(family: socket.AddressFamily, address: tuple[str, int]) -> socket.socket:
    with ExitStack() as opened:
        sock = opened.enter_context(socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP))
        # A port whose last connections are still in TIME_WAIT can be had again; one that is served cannot.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # the same on every system
        send_buffer.bound(sock)
        sock.setblocking(False)
        sock.bind(address)
        sock.listen(BACKLOG)
        opened.pop_all()
    return sock


def _explain(error: OSError, host: str, port: int) -> str:
    """Say in one line why an address cannot be had, and what helps."""
    where = f"cannot listen on {host} port {port}"
    match error.errno:
        case errno.EADDRINUSE:
            holder = _holder_of(port)
            return f"{where}: it is in use{f' by {holder}' if holder else ''}"
        case errno.EACCES | errno.EPERM if port < 1024:
            return (
                f"{where}: ports below 1024 are privileged; take a socket from a systemd .socket unit, or "
                f"allow it by: setcap cap_net_bind_service=+ep {Path(sys.executable).resolve()}"
            )
        case number if number in _NOT_HERE:
            return f"{where}: this machine does not have that address"
        case _:
            return f"{where}: {error.strerror}"


def _holder_of(port: int) -> str | None:
    """Name the process that listens on a TCP port: ``nginx (pid 4711)``; None where nobody can tell."""
    inodes = set(_listening_inodes(port))
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with suppress(OSError):
                    if str(descriptor.readlink()) in inodes:
                        name = (process / "comm").read_text(errors="replace").strip()
                        return f"{name} (pid {process.name})"
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:  # 0A: it listens
                    yield f"socket:[{fields[9]}]"
