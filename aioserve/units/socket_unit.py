"""The socket unit: systemd listens where the command would.

This file alone decides how an address is written in a unit, and which of them cannot be.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from aioserve.errors import ConfigurationError
from aioserve.listen import tcp
from aioserve.listen.addresses import ANYBODY, TcpAddress, UnixAddress, format_text
from aioserve.listen.settings import DEFAULT_HOST, DEFAULT_PORT
from aioserve.units.quoting import bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aioserve.listen.addresses import Address
    from aioserve.settings import Bind
    from aioserve.units.place import Place

_HEAD = """\
[Unit]
Description=Where %N.service listens

[Socket]
"""
_TAIL = """\

[Install]
WantedBy=sockets.target
"""


def format_socket(bind: Bind, place: Place) -> str:
    """Write the unit.

    Raises:
        ConfigurationError: systemd cannot listen there.
        BindError: there is no such name.
    """
    addresses = _addresses(bind)
    lines: list[str] = []
    for address in addresses:
        lines += _listen_lines(address, place)
    hosts = [line.removeprefix("ListenStream=") for line in lines]
    if any(host.startswith("[") for host in hosts):
        # Each family has a socket of its own, so that an IPv4 address is written as one.
        lines.append("BindIPv6Only=ipv6-only")
    if any(map(_may_be_late, hosts)):
        lines += ["# The address may come later than the socket.", "FreeBind=yes"]
    lines += _mode_lines([each for each in addresses if isinstance(each, UnixAddress)])
    lines.append(f"Backlog={bind.backlog}")
    if bind.reuse_port:
        lines.append("ReusePort=yes")
    lines.append("FileDescriptorName=%N")
    return _HEAD + "".join(f"{line}\n" for line in lines) + _TAIL


def _addresses(bind: Bind) -> tuple[TcpAddress | UnixAddress, ...]:
    if not bind.addresses:
        host = DEFAULT_HOST if bind.host is None else bind.host
        return (_usable(TcpAddress(host, DEFAULT_PORT if bind.port is None else bind.port)),)
    return tuple(map(_usable, dict.fromkeys(bind.addresses)))


def _usable(address: Address) -> TcpAddress | UnixAddress:
    if not isinstance(address, TcpAddress | UnixAddress):
        raise ConfigurationError(
            f"--print-unit: {format_text(address)} does not say where the socket unit is to listen"
        )
    if isinstance(address, TcpAddress) and address.port == 0:
        raise ConfigurationError("--print-unit: a socket unit cannot take any free port")
    return address


def _listen_lines(address: TcpAddress | UnixAddress, place: Place) -> Iterator[str]:
    if isinstance(address, UnixAddress):
        yield f"ListenStream={bare(place.path(address.path), 'the socket')}"
        return
    for _, (host, port, *_) in tcp.resolve(address):  # systemd takes no names
        scope = address.host.partition("%")[2]
        where = f"{host.partition('%')[0]}%%{scope.replace('%', '%%')}" if scope else host
        yield f"ListenStream=[{where}]:{port}" if ":" in where else f"ListenStream={where}:{port}"


def _may_be_late(host: str) -> bool:
    """Whether an address is one that a network gives to the machine."""
    if host.startswith("/"):
        return False
    address = ip_address(host.rpartition(":")[0].strip("[]").partition("%")[0])
    return not (address.is_loopback or address.is_unspecified)


def _mode_lines(addresses: list[UnixAddress]) -> Iterator[str]:
    modes = {each.mode for each in addresses}
    if len(modes) > 1:
        raise ConfigurationError("--print-unit: a socket unit has one mode for all of its unix sockets")
    for mode in modes:
        yield f"SocketMode={mode:04o}"
        if mode != ANYBODY:
            yield "# Whom the file belongs to, where that is not root:"
            yield "#SocketUser="
            yield "#SocketGroup="
