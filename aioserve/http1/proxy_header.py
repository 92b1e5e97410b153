"""The PROXY protocol's header, versions 1 and 2, without I/O.

This file decides what such a header is, and who it says has connected. It is the protocol of haproxy's
document `proxy-protocol.txt`; section numbers are that document's. Nothing is repaired: who takes a header
for a request, or the reverse, takes one client for another.
"""

from __future__ import annotations

import re
from struct import unpack_from
from typing import TYPE_CHECKING, NamedTuple

from aioserve.trusted import read_address

if TYPE_CHECKING:
    from aioserve.http.messages import Peer

_PREFIX_1 = b"PROXY "
_LONGEST_1 = 107  # bytes, with CRLF (§2.1)
_UNKNOWN_1 = re.compile(rb"PROXY UNKNOWN(?: [^\r\n]*+)?+\r\n")
_NUMBER = rb"(0|[1-9][0-9]{0,4})"
_LINE_1 = re.compile(
    rb"PROXY TCP(?:(4) ([0-9.]{7,15}) ([0-9.]{7,15})|(6) ([0-9A-Fa-f:.]{2,45}) ([0-9A-Fa-f:.]{2,45}))"
    rb" " + _NUMBER + rb" " + _NUMBER + rb"\r\n"
)

_SIGNATURE_2 = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED_2 = 16  # bytes before the addresses (§2.2)
_LONGEST_2 = 4_096  # bytes behind those: addresses take 216 at most, the rest of a client's certificate less
_LOCAL, _PROXY = 0x20, 0x21  # version 2 and the command
# How many bytes the addresses of a family take, by stream and by datagram; other families are refused (§2.2).
_UNSPECIFIED, _IPV4, _IPV6, _UNIX = (0x00,), (0x11, 0x12), (0x21, 0x22), (0x31, 0x32)
_SIZES = {
    family: size
    for families, size in ((_UNSPECIFIED, 0), (_IPV4, 12), (_IPV6, 36), (_UNIX, 216))
    for family in families
}


class ProxyHeaderError(Exception):
    """What came is no PROXY header."""


class ProxyHeader(NamedTuple):
    """A header.

    Attributes:
        length: how many bytes it takes.
        tells_peer: whether it names who has connected; otherwise that is who has connected to us: the proxy
            speaks for itself, or does not know.
        peer: who that is: host and port, or the name of a unix socket.
    """

    length: int
    tells_peer: bool = False
    peer: Peer = None


def read_proxy_header(data: bytes) -> ProxyHeader | None:
    """Return the header at the beginning of what has come, or None while it is incomplete.

    Raises:
        ProxyHeaderError: there is none, or a malformed one; more bytes would not change that.
    """
    if data[: len(_SIGNATURE_2)] == _SIGNATURE_2[: len(data)]:
        return _read_2(data) if len(data) >= _FIXED_2 else None
    if data[: len(_PREFIX_1)] == _PREFIX_1[: len(data)]:
        return _read_1(data)
    raise ProxyHeaderError("there is no PROXY header")


def _read_1(data: bytes) -> ProxyHeader | None:
    """Read a line (§2.1); of UNKNOWN the rest of the line means nothing."""
    length = data.find(b"\r\n", 0, _LONGEST_1) + 2
    if length < 2:
        if len(data) < _LONGEST_1:
            return None
        raise ProxyHeaderError("the line of the PROXY header does not end")
    line = data[:length]
    if _UNKNOWN_1.fullmatch(line):
        return ProxyHeader(length)
    found = _LINE_1.fullmatch(line)
    if found is None:
        raise ProxyHeaderError("the PROXY header is malformed")
    family, *hosts, from_port, to_port = (each.decode("ascii") for each in found.groups() if each is not None)
    source, destination = map(read_address, hosts)
    is_right = all((":" in host) == (family == "6") for host in hosts)
    if source is None or destination is None or not is_right or max(int(from_port), int(to_port)) > 65_535:
        raise ProxyHeaderError("the PROXY header has no valid addresses")
    return ProxyHeader(length, tells_peer=True, peer=(str(source), int(from_port)))


def _read_2(data: bytes) -> ProxyHeader | None:
    """Read the binary form (§2.2); what stands behind the addresses (§2.2.1) is skipped."""
    command, family, size = unpack_from("!BBH", data, len(_SIGNATURE_2))
    if command not in (_LOCAL, _PROXY):
        raise ProxyHeaderError("the PROXY header has another version or command")
    if size > _LONGEST_2:
        raise ProxyHeaderError("the PROXY header is too long")
    if command == _PROXY and size < _SIZES.get(family, _LONGEST_2 + 1):
        raise ProxyHeaderError("the PROXY header has no valid addresses")
    length = _FIXED_2 + size
    if len(data) < length:
        return None
    if command == _LOCAL or family in _UNSPECIFIED:  # a check of the proxy's own, or it cannot tell
        return ProxyHeader(length)
    return ProxyHeader(length, tells_peer=True, peer=_peer_of(family, data[_FIXED_2:length]))


def _peer_of(family: int, block: bytes) -> Peer:
    if family in _UNIX:
        return block[:108].partition(b"\0")[0].decode("utf-8", "surrogateescape")
    host, port = (block[:4], block[8:10]) if family in _IPV4 else (block[:16], block[32:34])
    return str(read_address(host)), int.from_bytes(port)
