"""PROXY headers, as haproxy's proxy-protocol.txt has them."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http1.proxy_header import ProxyHeader, ProxyHeaderError, read_proxy_header

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
HTTP = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def binary(command=0x21, family=0x11, block=b"", size=None):
    """Write a header of version 2."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(block) if size is None else size) + block


def addresses(source, port=40000, destination="192.0.2.99"):
    """Write the addresses of version 2."""
    both = ip_address(source).packed, ip_address(destination).packed
    return b"".join(both) + struct.pack("!HH", port, 443)


def unix(source):
    return source.ljust(108, b"\0") + b"/run/server".ljust(108, b"\0")


V4 = addresses("192.0.2.7")
V6 = addresses("2001:db8::7", destination="::1")

GOOD = [
    ("§2.1: IPv4", b"PROXY TCP4 192.0.2.7 192.0.2.99 40000 443\r\n", ("192.0.2.7", 40000)),
    ("IPv6", b"PROXY TCP6 2001:DB8::7 ::1 1 65535\r\n", ("2001:db8::7", 1)),
    ("IPv4 in IPv6 is IPv4", b"PROXY TCP6 ::ffff:192.0.2.7 ::1 0 0\r\n", ("192.0.2.7", 0)),
    (
        "as long as it gets",
        b"PROXY TCP6 %b %b 65535 65535\r\n" % ((b"ffff:f00f:ffff:ffff:ffff:ffff:ffff:ffff",) * 2),
        ("ffff:f00f:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
    ),
    ("§2.2: IPv4", binary(block=V4), ("192.0.2.7", 40000)),
    ("by datagram", binary(family=0x12, block=V4), ("192.0.2.7", 40000)),
    ("IPv6", binary(family=0x21, block=V6), ("2001:db8::7", 40000)),
    ("IPv4 in IPv6", binary(family=0x22, block=addresses("::ffff:1.2.3.4", 1, "::")), ("1.2.3.4", 1)),
    ("a unix socket", binary(family=0x31, block=unix(b"/run/client\xff")), "/run/client\udcff"),
    ("whose name is as long as it gets", binary(family=0x32, block=unix(b"x" * 108)), "x" * 108),
    ("or has none", binary(family=0x31, block=unix(b"")), ""),
    ("§2.2.1: more behind the addresses", binary(block=V4 + b"\x04\0\x01x"), ("192.0.2.7", 40000)),
    ("as much as there may be", binary(block=V4.ljust(4096, b"\0")), ("192.0.2.7", 40000)),
]

# Who speaks for itself, or does not know, and so tells nobody.
SILENT = [
    ("§2.1: not known", b"PROXY UNKNOWN\r\n"),
    ("the rest of the line means nothing", b"PROXY UNKNOWN ffff::1 what ever\t\r\n"),
    ("as long as it gets", b"PROXY UNKNOWN ".ljust(105, b"x") + b"\r\n"),
    ("§2.2: the proxy itself", binary(command=0x20, family=0x00)),
    ("whatever the family", binary(command=0x20, family=0xFF, block=b"x")),
    ("not known", binary(family=0x00)),
    ("with more behind it", binary(family=0x00, block=b"x" * 50)),
]

BAD = [
    ("no header", HTTP),
    ("TLS", b"\x16\x03\x01\x02\0\x01\0"),
    ("half a signature", SIGNATURE[:11] + b"X"),
    ("an empty line before it", b"\r\nPROXY UNKNOWN\r\n"),
    ("another case", b"proxy UNKNOWN\r\n"),
    ("two blanks", b"PROXY  UNKNOWN\r\n"),
    ("another word", b"PROXY UNKNOWNS\r\n"),
    ("UDP", b"PROXY UDP4 192.0.2.7 192.0.2.99 1 2\r\n"),
    ("a line end in it", b"PROXY UNKNOWN\n\r\n"),
    ("another line end", b"PROXY UNKNOWN\n" + HTTP.replace(b"\r", b"") + b"x" * 107),
    ("nothing", b"PROXY \r\n"),
    ("a port is missing", b"PROXY TCP4 192.0.2.7 192.0.2.99 1\r\n"),
    ("another word behind it", b"PROXY TCP4 192.0.2.7 192.0.2.99 1 2 3\r\n"),
    ("a blank behind it", b"PROXY TCP4 192.0.2.7 192.0.2.99 1 2 \r\n"),
    ("a port too high", b"PROXY TCP4 192.0.2.7 192.0.2.99 65536 2\r\n"),
    ("the other port too", b"PROXY TCP4 192.0.2.7 192.0.2.99 1 70000\r\n"),
    ("a zero before a port", b"PROXY TCP4 192.0.2.7 192.0.2.99 01 2\r\n"),
    ("a sign", b"PROXY TCP4 192.0.2.7 192.0.2.99 +1 2\r\n"),
    ("no address", b"PROXY TCP4 192.0.2.256 192.0.2.99 1 2\r\n"),
    ("no address to", b"PROXY TCP4 192.0.2.7 192.0.2.256 1 2\r\n"),
    ("another family", b"PROXY TCP6 192.0.2.7 192.0.2.99 1 2\r\n"),
    ("another family to", b"PROXY TCP6 ::1 192.0.2.99 1 2\r\n"),
    ("the other one", b"PROXY TCP4 ::1 ::1 1 2\r\n"),
    ("no end", b"PROXY UNKNOWN ".ljust(107, b"x")),
    ("an end that comes too late", b"PROXY UNKNOWN ".ljust(106, b"x") + b"\r\n"),
    ("another version", binary(command=0x11, block=V4)),
    ("another command", binary(command=0x22, block=V4)),
    ("another family", binary(family=0x41, block=V4)),
    ("another transport", binary(family=0x10, block=V4)),
    ("half of the addresses", binary(block=V4[:-1])),
    ("half of IPv6", binary(family=0x21, block=V4)),
    ("half of a unix socket", binary(family=0x31, block=bytes(215))),
    ("too long", binary(block=V4, size=4097)),
    ("too long to be skipped", binary(command=0x20, size=65535)),
]


def outcome(pieces):
    """Read what comes in pieces; return what it is and how many bytes had come by then."""
    data = b""
    for piece in pieces:
        data += piece
        try:
            header = read_proxy_header(data)
        except ProxyHeaderError:
            return "refused"
        if header is not None:
            return header
    return "incomplete"


def cut(data):
    return [data[at : at + 1] for at in range(len(data))]


@pytest.mark.parametrize(("reason", "data", "peer"), GOOD, ids=[each[0] for each in GOOD])
@pytest.mark.parametrize("behind", [b"", HTTP])
def test_header_tells_who_has_connected(reason, data, peer, behind):
    expected = ProxyHeader(len(data), tells_peer=True, peer=peer)

    assert read_proxy_header(data + behind) == expected, reason
    assert outcome(cut(data + behind)) == expected


@pytest.mark.parametrize(("reason", "data"), SILENT, ids=[each[0] for each in SILENT])
@pytest.mark.parametrize("behind", [b"", HTTP])
def test_header_may_tell_nothing(reason, data, behind):
    assert read_proxy_header(data + behind) == ProxyHeader(len(data)), reason
    assert outcome(cut(data + behind)) == ProxyHeader(len(data))


@pytest.mark.parametrize(("reason", "data"), BAD, ids=[each[0] for each in BAD])
def test_everything_else_is_refused(reason, data):
    with pytest.raises(ProxyHeaderError):
        read_proxy_header(data)
    assert outcome(cut(data)) == "refused", reason


@pytest.mark.parametrize("data", [each[1] for each in (*GOOD, *SILENT)])
def test_every_byte_of_it_is_needed(data):
    assert [read_proxy_header(data[:length]) for length in range(len(data))] == [None] * len(data)


PIECES = st.sampled_from(
    [
        *(
            SIGNATURE,
            b"PROXY ",
            b"TCP4",
            b"TCP6",
            b"UNKNOWN",
            b" ",
            b"192.0.2.7",
            b"::1",
            b"443",
            b"\r\n",
            b"\r",
        ),
        *(b"\x20", b"\x21", b"\x11", b"\x00", b"\x00\x0c", b"\x0f\xff", V4, V6, HTTP, b"x" * 50),
    ]
)
ANY = st.lists(PIECES | st.binary(max_size=9), max_size=12).map(b"".join)


@given(ANY, st.data())
def test_neither_cuts_nor_what_follows_change_what_comes_out(data, draw):
    places = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=5)))
    pieces = [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
    whole = outcome([data])

    assert outcome(pieces) == outcome(cut(data)) == whole
    if whole != "incomplete":
        assert outcome([data + HTTP]) == whole
    else:
        assert len(data) < 16 + 4096


@given(st.ip_addresses(v=4), st.ip_addresses(v=6), st.integers(0, 65535), st.binary(max_size=300))
def test_both_versions_tell_the_same(v4, v6, port, rest):
    for address, family, name in ((v4, 0x11, "TCP4"), (v6, 0x21, "TCP6")):
        text = f"PROXY {name} {address} {address} {port} 443\r\n".encode()
        block = addresses(address, port, address) + rest

        first, second = read_proxy_header(text), read_proxy_header(binary(family=family, block=block))
        assert first.peer == second.peer
        assert first.peer[1] == port
