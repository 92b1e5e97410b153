"""Which peers are proxies whose word is taken.

This file alone decides what a text names as trusted, and who counts as that: an address in a network, or a
peer on a unix socket. An IPv4 address counts as itself also where IPv6 carries it.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Address = IPv4Address | IPv6Address
    Network = IPv4Network | IPv6Network

UNIX = "unix"
_REMEMBERED = 1_024  # hosts: proxies are few, and each of their requests asks
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291 §2.5.5.2


def read_address(written: str | bytes) -> Address | None:
    """Return the address that a text is, or 4 or 16 bytes are; as IPv4 where it is mapped to IPv6.

    None for whatever is no address.
    """
    try:
        address = ip_address(written)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def read_network(text: str) -> Network:
    """Return the network that a text is, such as 10.0.0.0/8, ::1 or fe80::/10.

    Raises:
        ValueError: it is none, or one of which bits are set behind the prefix: the writer meant another one.
    """
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not a network, such as 10.0.0.0/8 or ::1, and not {UNIX}") from None
    if network.network_address != ip_address(text.partition("/")[0]):
        raise ValueError(f"{text!r} has bits behind its prefix; is {network} meant?")
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        first = network.network_address.ipv4_mapped
        return IPv4Network((int(first or 0), network.prefixlen - _MAPPED.prefixlen))
    return network


def read_trusted(text: str) -> tuple[str, ...]:
    """Return the networks, and perhaps ``unix``, that a text names between commas, each in its usual form.

    Raises:
        ValueError: one of them is no network; the message says which.
    """
    parts = [part.strip() for part in text.split(",")]
    return tuple(UNIX if part == UNIX else _name_of(read_network(part)) for part in parts)


def _name_of(network: Network) -> str:
    return str(network if network.num_addresses > 1 else network.network_address)


class TrustedPeers:
    """Knows who is trusted.

    Args:
        names: networks, and ``unix`` for every peer on a unix socket.
    """

    def __init__(self, names: Iterable[str]) -> None:
        chosen = frozenset(names)
        self._has_unix = UNIX in chosen
        self._networks = [read_network(name) for name in chosen - {UNIX}]
        self.covers_host = lru_cache(_REMEMBERED)(self._look_up)

    def covers(self, peer: tuple[str, int] | str | None) -> bool:
        """Whether the peer of a connection is trusted; one that is not known, never."""
        if isinstance(peer, tuple):
            return self.covers_host(peer[0])
        return self._has_unix and peer is not None

    def _look_up(self, host: str) -> bool:
        address = read_address(host)
        # A network is asked for addresses of its own version only: 0.0.0.0/0 is not ::/0.
        return address is not None and any(address in network for network in self._networks)
