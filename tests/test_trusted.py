"""Which texts name a trusted proxy, and who is one."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.trusted import TrustedPeers, read_address, read_network, read_trusted


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("192.0.2.1", IPv4Address("192.0.2.1")),
        ("2001:DB8:0::1", IPv6Address("2001:db8::1")),
        ("::ffff:192.0.2.1", IPv4Address("192.0.2.1")),
        (bytes([192, 0, 2, 1]), IPv4Address("192.0.2.1")),
        (bytes(10) + b"\xff\xff\xc0\0\2\1", IPv4Address("192.0.2.1")),
        ("192.0.2.01", None),
        ("localhost", None),
        ("", None),
        (b"", None),
    ],
)
def test_address_is_read(written, address):
    assert read_address(written) == address


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("10.0.0.0/8", ("10.0.0.0/8",)),
        ("10.0.0.0/255.0.0.0", ("10.0.0.0/8",)),
        ("192.0.2.1/32, ::1 ,unix", ("192.0.2.1", "::1", "unix")),
        ("0.0.0.0/0,::/0", ("0.0.0.0/0", "::/0")),
        ("::ffff:10.0.0.0/104", ("10.0.0.0/8",)),
        ("::ffff:192.0.2.1", ("192.0.2.1",)),
        ("2001:DB8:0::/32", ("2001:db8::/32",)),
    ],
)
def test_networks_are_written_in_their_usual_form(text, names):
    assert read_trusted(text) == names
    assert read_trusted(",".join(names)) == names


@pytest.mark.parametrize("wrong", ["*", "", "localhost", "10.0.0.0/33", "10.0.0.0/", "/8", "10/8", "UNIX"])
def test_what_is_no_network_is_named(wrong):
    with pytest.raises(ValueError, match="is not a network") as caught:
        read_trusted(f"127.0.0.1,{wrong},::1")
    assert str(caught.value).startswith(f"{wrong!r} ")


def test_bits_behind_the_prefix_are_a_mistake_and_the_message_has_what_may_be_meant():
    with pytest.raises(
        ValueError, match=r"'10\.0\.0\.1/8' has bits behind its prefix; is 10\.0\.0\.0/8 meant\?"
    ):
        read_network("10.0.0.1/8")


@pytest.mark.parametrize(
    ("names", "peer", "expected"),
    [
        ("10.0.0.0/8", ("10.1.2.3", 5), True),
        ("10.0.0.0/8", ("11.1.2.3", 5), False),
        ("10.0.0.0/8", ("::ffff:10.1.2.3", 5), True),
        ("::ffff:10.0.0.0/104", ("10.1.2.3", 5), True),
        ("fe80::/10", ("fe80::1%eth0", 5), True),
        ("0.0.0.0/0", ("::1", 5), False),
        ("::/0", ("192.0.2.1", 5), False),
        ("::/0", ("::ffff:192.0.2.1", 5), False),
        ("10.0.0.0/8", ("a name", 5), False),
        ("unix", "", True),
        ("unix", "/run/client.sock", True),
        ("unix", ("127.0.0.1", 5), False),
        ("127.0.0.1", "127.0.0.1", False),
        ("0.0.0.0/0,::/0,unix", None, False),
    ],
)
def test_who_is_covered(names, peer, expected):
    assert TrustedPeers(read_trusted(names)).covers(peer) is expected


@given(st.text() | st.ip_addresses().map(str) | st.from_regex(r"[0-9a-f:./]{1,30}", fullmatch=True))
def test_any_text_is_a_network_that_covers_its_first_address_or_is_refused(text):
    try:
        names = read_trusted(text)
    except ValueError:
        return
    trusted = TrustedPeers(names)
    assert read_trusted(",".join(names)) == names
    for name in names:
        assert name == "unix" or trusted.covers((name.partition("/")[0], 1))
