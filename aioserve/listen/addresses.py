"""Addresses to listen on, as texts and as values.

This file alone decides which texts are an address, and what each of them names. It asks no system: whether an
address can be had is found out by whoever binds it.
"""

from __future__ import annotations

import re

from aioserve.kinds import PORT, Kind
from aioserve.values import value

ANYBODY = 0o666
"""The mode of a unix socket where none is given: everybody on the machine may connect, as to 127.0.0.1.

A proxy in front runs as another user, and with the usual umask it could not. systemd's ``SocketMode=`` is the
same. Whom that is too much for gives a mode, or puts the socket into a folder that only some may enter.
"""

# What a name, a service or an IPv4 address can have in it; which of them exist is the resolver's to say.
_HOST = r"[^\s\x00-\x20\x7f:/?#@*\\\[\]]+"
_MODE = r"mode=(0?[0-7]{3})"
_NUMBER = r"(?a)[0-9]{1,9}"
_NAME = r"[!-9;-~]{1,255}"  # what systemd takes for FileDescriptorName=, blanks left out


@value
class TcpAddress:
    """A host and a port.

    Attributes:
        host: a name or an address; empty for every address of the machine, IPv4 and IPv6.
        port: a number, or the name of a service.
    """

    host: str
    port: int | str


@value
class UnixAddress:
    """A unix socket.

    Attributes:
        path: where it is.
        mode: who may connect, as the permission to write.
    """

    path: str
    mode: int = ANYBODY


@value
class InheritedDescriptor:
    """A socket that whoever started the process has opened, by the number of its descriptor."""

    number: int


@value
class SystemdSockets:
    """The sockets that systemd has opened: those of one ``FileDescriptorName=``, or all where it is empty."""

    name: str = ""


Address = TcpAddress | UnixAddress | InheritedDescriptor | SystemdSockets


def parse_address(text: str) -> Address:
    """Make an address of its text.

    Raises:
        ValueError: the text is none; with a sentence for whoever wrote it.
    """
    if text.startswith("unix:"):
        return _parse_unix(text)
    if text.startswith("fd:"):
        number = text.removeprefix("fd://")
        if not re.fullmatch(_NUMBER, number):
            raise ValueError(f"{text!r} has no number of a descriptor, as fd://3 has")
        return InheritedDescriptor(int(number))
    scheme, colon, name = text.partition(":")
    if scheme == "systemd":
        if colon and not re.fullmatch(_NAME, name):
            raise ValueError(f"{text!r} has no name of a socket, as systemd:web has")
        return SystemdSockets(name)
    return _parse_tcp(text)


def format_text(address: Address) -> str:
    """Write an address as a text of which `parse_address` makes it again."""
    match address:
        case TcpAddress(host, port):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case UnixAddress(path, mode):
            must_tell = mode != ANYBODY or "?" in path
            return f"unix:{path}?mode={mode:03o}" if must_tell else f"unix:{path}"
        case InheritedDescriptor(number):
            return f"fd://{number}"
        case _:
            return f"systemd:{address.name}" if address.name else "systemd"


def _parse_unix(text: str) -> UnixAddress:
    path, mark, setting = text.removeprefix("unix:").rpartition("?")
    if not mark:
        path = setting
    if not path or "\0" in path:
        raise ValueError(f"{text!r} has no path, as unix:/run/web.sock has")
    if path.startswith("@"):  # elsewhere that is a socket without a file: it would have no permissions
        raise ValueError(f"{text!r} is an abstract socket, which is not supported; a file is unix:./@name")
    if not mark:
        return UnixAddress(path)
    found = re.fullmatch(_MODE, setting)
    if not found:
        raise ValueError(f"{text!r}: {setting!r} is not a mode, as in unix:/run/web.sock?mode=660")
    return UnixAddress(path, int(found[1], 8))


def _parse_tcp(text: str) -> TcpAddress:
    host, colon, port = text.rpartition(":")
    if not (colon and port) or port.endswith("]"):
        raise ValueError(f"{text!r} is not {ADDRESS.expected}")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not _is_ipv6(host):
            raise ValueError(f"{host!r} is not an IPv6 address")
    elif _is_ipv6(host) or _is_ipv6(text):
        raise ValueError(f"{text!r}: an IPv6 address stands in brackets, as in [::1]:8080")
    elif host and not re.fullmatch(_HOST, host):
        raise ValueError(f"{text!r}: {host!r} is not a name or an address")
    try:
        return TcpAddress(host, PORT.parse(port))
    except ValueError as error:
        raise ValueError(f"{text!r}: {error}") from None


def _is_ipv6(host: str) -> bool:
    from ipaddress import AddressValueError, IPv6Address  # noqa: PLC0415 - few need it, and it takes 3 ms

    try:
        IPv6Address(host)
    except AddressValueError:
        return False
    # What follows a % is the name of an interface, for which anything would do.
    return all(re.fullmatch(_HOST, part) for part in host.split("%")[1:])


ADDRESS = Kind(
    "ADDRESS",
    "an address: HOST:PORT, [IPV6]:PORT, :PORT, unix:PATH, fd://N or systemd",
    parse_address,
    format_text,
    completes="file",
)


def _parse_own(text: str) -> Address:
    address = parse_address(text)
    if not isinstance(address, TcpAddress | UnixAddress):
        raise ValueError(f"{text!r} is not {OWN_ADDRESS.expected}")  # noqa: TRY004 - a text, not a type
    return address


# An application's name ends in no number, and none that is likely begins as these paths do.
OWN_ADDRESS = Kind(
    "ADDRESS",
    "an address: HOST:PORT, [IPV6]:PORT, :PORT or unix:PATH",
    _parse_own,
    format_text,
    completes="file",
    mark=r"^unix:[./]|:[0-9]+$",
)
"""One that we open ourselves, for a purpose of its own."""
