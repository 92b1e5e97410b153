"""The sockets that the server accepts on: all that the options ask for, bound and listening.

This file decides which sockets a choice of addresses stands for, which of those that are open already are
among them, and who closes them. Binding happens before there is an event loop, so that whoever starts the
server learns of a taken port by its exit code.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING

from aioserve.errors import BindError, ConfigurationError, first_of
from aioserve.listen import inherited, tcp, unix
from aioserve.listen.addresses import InheritedDescriptor, SystemdSockets, TcpAddress, UnixAddress
from aioserve.listen.settings import DEFAULT_HOST, DEFAULT_PORT
from aioserve.values import value

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from aioserve.listen.addresses import Address
    from aioserve.listen.inherited import HandedOver
    from aioserve.listen.unix import SocketFile
    from aioserve.settings import Bind

_IP = (socket.AF_INET, socket.AF_INET6)
_ANY = {"0.0.0.0", "::"}  # noqa: S104 - what every address of the machine is called


@value
class Listener:
    """One socket.

    Attributes:
        key: what was asked for: an address of one family, the path of a file, a descriptor.
        sock: bound to it.
        file: of a unix socket that we have bound.
        is_aside: it is not for requests of the public, but for questions about the server.
    """

    key: Hashable
    sock: socket.socket
    file: SocketFile | None = None
    is_aside: bool = False


class Listening:
    """Sockets that listen, and the files of those among them that have one.

    Several of these may have a socket in common: `rebind` makes one of another.

    Attributes:
        listeners: the sockets, each with what was asked for, in the order in which that was.
        handed_over: what systemd has handed over; None until it is asked.
    """

    def __init__(self, handed_over: HandedOver | None = None) -> None:
        self.handed_over = handed_over
        self.listeners: list[Listener] = []
        self._pid = os.getpid()

    @property
    def sockets(self) -> list[socket.socket]:
        """Those for the public, in the same order."""
        return [each.sock for each in self.listeners if not each.is_aside]

    @property
    def aside(self) -> list[socket.socket]:
        """The others."""
        return [each.sock for each in self.listeners if each.is_aside]

    def close(self, keep: Listening | None = None) -> None:
        """Close the sockets, and remove their files where these are still ours.

        In a child of the process that bound them the files stay.

        Args:
            keep: what serves on. What it has as well stays open, and so do inherited descriptors, which could
                not be had again; whoever opened them has them open too, so that closing them would refuse
                nobody.
        """
        kept = [] if keep is None else keep.listeners
        for each in self.listeners:
            if each in kept:
                continue
            if each.file is not None and os.getpid() == self._pid:
                each.file.remove()
            if keep is not None and isinstance(each.key, InheritedDescriptor):
                each.sock.detach()
            else:
                each.sock.close()

    def together_with(self, other: Listening) -> Listening:
        """Return one that has the sockets of both."""
        both = Listening(other.handed_over)
        for each in (*self.listeners, *other.listeners):
            both.add(each)
        return both

    def find(self, key: Hashable, *, is_aside: bool = False) -> Listener | None:
        """Return the listener of a key, unless it is closed, or its file has gone and no client finds it."""
        for each in self.listeners:
            if (each.key, each.is_aside) != (key, is_aside):
                continue
            if each.sock.fileno() >= 0 and (each.file is None or each.file.is_ours):
                return each
        return None

    def add(self, listener: Listener) -> None:
        """Take a listener, once."""
        if listener not in self.listeners:
            self.listeners.append(listener)

    def has_descriptor(self, number: int) -> bool:
        """Whether a descriptor is one of the sockets."""
        return any(each.sock.fileno() == number for each in self.listeners)


def bind_sockets(bind: Bind, aside: Address | None = None) -> Listening:
    """Bind every address that the options ask for.

    Args:
        bind: the options.
        aside: one more, which is not for the public.

    Returns:
        Listening sockets; a name with several addresses gives several, all of one port. Those of them that
        this machine does not have are left out, such as ``::1`` where there is no IPv6.

    Raises:
        BindError: an address cannot be had; the error has others of further addresses; nothing stays bound.
    """
    return rebind(bind, Listening(), aside)


def rebind(bind: Bind, held: Listening, aside: Address | None = None) -> Listening:
    """Bind every address that the options ask for, while others are still served, perhaps by other options.

    A socket that is held and asked for again is in the result; everything else is bound anew, which fails for
    an address that takes in a held one, as ``:80`` does ``127.0.0.1:80``. Then ``held.close(keep=new)`` or
    ``new.close(keep=held)`` ends the one or the other.

    Raises:
        BindError: as by `bind_sockets`; what is held stays open.
    """
    binding = _Binding(bind, held)
    problems = []
    wanted = [(each, False) for each in binding.addresses()] + ([(aside, True)] if aside else [])
    for address, binding.is_aside in wanted:
        try:
            for listener in binding.open(address):
                binding.new.add(listener)
        except BindError as problem:
            problems.append(problem)
    if problems:
        binding.new.close(keep=held)
        raise first_of(problems)
    return binding.new


class _Binding:
    """Addresses that become sockets.

    Attributes:
        new: those that were found or bound so far.
        is_aside: what is opened now is not for the public.
    """

    def __init__(self, bind: Bind, held: Listening) -> None:
        self._bind = bind
        self._held = held
        self.new = Listening(held.handed_over)
        self.is_aside = False

    def addresses(self) -> tuple[Address, ...]:
        """Return what is asked for, by flags, by systemd or by nobody, each address once."""
        bind = self._bind
        if bind.addresses:
            return tuple(dict.fromkeys(bind.addresses))
        if bind.host is None and bind.port is None and self._handed_over().descriptors:
            return (SystemdSockets(),)
        host = DEFAULT_HOST if bind.host is None else bind.host
        return (TcpAddress(host, DEFAULT_PORT if bind.port is None else bind.port),)

    def open(self, address: Address) -> Iterator[Listener]:
        """Find or bind the sockets of one address."""
        match address:
            case TcpAddress():
                yield from self._open_tcp(address)
            case UnixAddress():
                yield self._open_unix(address)
            case InheritedDescriptor(number):
                yield self._open_inherited(number)
            case _:
                yield from map(self._open_inherited, self._handed_over().numbers(address.name))

    def _open_tcp(self, address: TcpAddress) -> Iterator[Listener]:
        bind = self._bind
        port, missing = 0, None  # all get the port of the first
        for family, place in tcp.resolve(address):
            found = self._find((family, place))
            if found is None:
                host, asked = place[:2]
                try:
                    sock = tcp.listen(
                        family,
                        (host, port or asked, *place[2:]),
                        backlog=bind.backlog,
                        must_share=bind.reuse_port and not self.is_aside,  # each server has its own to say
                    )
                except OSError as error:
                    problem = BindError(self._explain(error, family, host, port or asked))
                    if error.errno not in tcp.NOT_HERE:
                        raise problem from None
                    missing = missing or problem
                    continue
                found = Listener((family, place), sock, None, self.is_aside)
            port = port or found.sock.getsockname()[1]
            yield found
        if missing is not None and not port:
            raise missing

    def _explain(self, error: OSError, family: int, host: str, port: int) -> str:
        """Say why an address cannot be had; that it is another of our own need not be looked for in /proc."""
        for listening, advice in (
            (self.new, "one of them is enough"),
            (self._held, "an address that takes in an old one needs a restart"),
        ):
            other = _find_overlap(listening, family, host, port) if error.errno == errno.EADDRINUSE else None
            if other is not None:
                where = f"cannot listen on {host} port {port}"
                return f"{where}: this server listens on {other} port {port} already; {advice}"
        return tcp.explain(error, host, port)

    def _open_unix(self, address: UnixAddress) -> Listener:
        key = os.path.abspath(address.path)  # noqa: PTH100 - makes one text of /run/x and /run/./x
        found = self._find(key)
        if found is None or found.file is None:
            return Listener(key, *unix.listen(address, backlog=self._bind.backlog), self.is_aside)
        found.file.allow(address.mode)
        return found

    def _open_inherited(self, number: int) -> Listener:
        key = InheritedDescriptor(number)
        found = self._find(key)
        if found is not None:
            return found
        if self._held.has_descriptor(number) or self.new.has_descriptor(number):
            # The number was free, and is now that of a socket which we have bound ourselves.
            raise inherited.refusal(number, "it is not open")
        return Listener(key, inherited.take(number, backlog=self._bind.backlog))

    def _find(self, key: Hashable) -> Listener | None:
        found = self.new.find(key, is_aside=self.is_aside) or self._held.find(key, is_aside=self.is_aside)
        if found is not None:
            found.sock.listen(self._bind.backlog)
        return found

    def _handed_over(self) -> HandedOver:
        if self.new.handed_over is None:
            self.new.handed_over = self._held.handed_over = inherited.receive(os.environ)
        return self.new.handed_over


def _find_overlap(listening: Listening, family: int, host: str, port: int) -> str | None:
    """Return the host of a socket that has the port of this one, or a part of it."""
    for sock in listening.sockets:
        if sock.family == family and sock.fileno() >= 0:
            other, its_port = sock.getsockname()[:2]
            if its_port == port and (other == host or not _ANY.isdisjoint((other, host))):
                return str(other)
    return None


def port_line(sockets: Iterable[socket.socket]) -> str:
    """Return what a port file says: the port of the first TCP socket.

    Raises:
        ConfigurationError: there is none.
    """
    port = next((each.getsockname()[1] for each in sockets if each.family in _IP), None)
    if port is None:
        raise ConfigurationError("--port-file: there is no port, only unix sockets")
    return f"{port}\n"


def format_address(sock: socket.socket, scheme: str = "http") -> str:
    """Return where a socket can be reached.

    That is a URL: ``http://127.0.0.1:8080``, ``http://[::1]:8080``. There is none for a unix socket, which is
    ``unix:/run/web.sock``; a client has to be told what it speaks there, so TLS is added in words.
    """
    name = sock.getsockname()
    if sock.family in _IP:
        host, port = name[:2]
        return (
            f"{scheme}://[{host}]:{port}" if sock.family == socket.AF_INET6 else f"{scheme}://{host}:{port}"
        )
    path = "@" + os.fsdecode(name[1:]) if isinstance(name, bytes) else name  # bytes are an abstract socket
    return f"unix:{path} (TLS)" if scheme == "https" else f"unix:{path}"
