from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.listen.addresses import (
    ADDRESS,
    OWN_ADDRESS,
    InheritedDescriptor,
    SystemdSockets,
    TcpAddress,
    UnixAddress,
    format_text,
    parse_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", TcpAddress("127.0.0.1", 8080)),
        ("localhost:0", TcpAddress("localhost", 0)),
        ("bücher.example:http", TcpAddress("bücher.example", "http")),
        (":80", TcpAddress("", 80)),
        ("[::1]:8080", TcpAddress("::1", 8080)),
        ("[::]:http", TcpAddress("::", "http")),
        ("[fe80::1%eth0]:80", TcpAddress("fe80::1%eth0", 80)),
        ("[::ffff:192.0.2.1]:80", TcpAddress("::ffff:192.0.2.1", 80)),
        ("unix:/run/web.sock", UnixAddress("/run/web.sock", 0o666)),
        ("unix:web.sock", UnixAddress("web.sock")),
        ("unix:/run/web.sock?mode=660", UnixAddress("/run/web.sock", 0o660)),
        ("unix:/run/web.sock?mode=0600", UnixAddress("/run/web.sock", 0o600)),
        ("unix:/a?b?mode=666", UnixAddress("/a?b")),
        ("unix:./@a b", UnixAddress("./@a b")),
        ("fd://3", InheritedDescriptor(3)),
        ("fd://0", InheritedDescriptor(0)),
        ("systemd", SystemdSockets()),
        ("systemd:web.socket", SystemdSockets("web.socket")),
    ],
)
def test_text_is_an_address(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", f"'' is not {ADDRESS.expected}"),
        ("8080", f"'8080' is not {ADDRESS.expected}"),
        ("localhost", f"'localhost' is not {ADDRESS.expected}"),
        ("localhost:", f"'localhost:' is not {ADDRESS.expected}"),
        ("[::1]", f"'[::1]' is not {ADDRESS.expected}"),
        ("localhost:70000", "'localhost:70000': '70000' is not a port: "),
        ("localhost:nosuch", "'localhost:nosuch': 'nosuch' is not a port: "),
        ("::1", r"'::1': an IPv6 address stands in brackets, as in [::1]:8080"),
        ("::1:80", r"'::1:80': an IPv6 address stands in brackets, as in [::1]:8080"),
        ("1:2:3:4:5:6:7:8:80", r"'1:2:3:4:5:6:7:8:80': an IPv6 address stands in brackets, as in [::1]:8080"),
        ("[localhost]:80", "'localhost' is not an IPv6 address"),
        ("[]:80", "'' is not an IPv6 address"),
        ("[fe80::1%a b]:80", "'fe80::1%a b' is not an IPv6 address"),
        ("http://a:80", "'http://a:80': 'http://a' is not a name or an address"),
        ("*:80", "'*:80': '*' is not a name or an address"),
        ("a b:80", "'a b:80': 'a b' is not a name or an address"),
        ("unix:", "'unix:' has no path, as unix:/run/web.sock has"),
        ("unix:?mode=660", "'unix:?mode=660' has no path, as unix:/run/web.sock has"),
        ("unix:a\0b", "'unix:a\\x00b' has no path, as unix:/run/web.sock has"),
        ("unix:@web", "'unix:@web' is an abstract socket, which is not supported; a file is unix:./@name"),
        (
            "unix:/a?mode=888",
            "'unix:/a?mode=888': 'mode=888' is not a mode, as in unix:/run/web.sock?mode=660",
        ),
        (
            "unix:/a?mode=1777",
            "'unix:/a?mode=1777': 'mode=1777' is not a mode, as in unix:/run/web.sock?mode=660",
        ),
        ("unix:/a?", "'unix:/a?': '' is not a mode, as in unix:/run/web.sock?mode=660"),
        ("fd:3", "'fd:3' has no number of a descriptor, as fd://3 has"),
        ("fd://", "'fd://' has no number of a descriptor, as fd://3 has"),
        ("fd://-1", "'fd://-1' has no number of a descriptor, as fd://3 has"),
        ("systemd:", "'systemd:' has no name of a socket, as systemd:web has"),
        ("systemd:a:b", "'systemd:a:b' has no name of a socket, as systemd:web has"),
    ],
)
def test_text_that_is_none_is_refused_with_what_is_wrong(text, said):
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        parse_address(text)


ports = st.integers(0, 65535)
hosts = st.ip_addresses().map(str) | st.from_regex(r"[a-z0-9_.-]{1,30}", fullmatch=True) | st.just("")
# "systemd:80" is a name of systemd's, "unix:80" a path, and "fd:80" is refused.
tcp = st.builds(TcpAddress, hosts.filter(lambda host: host not in ("systemd", "unix", "fd")), ports)
paths = st.text(st.characters(exclude_characters="\0"), min_size=1).filter(lambda path: path[0] != "@")
unix = st.builds(UnixAddress, paths, st.integers(0, 0o777))
names = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=":"), max_size=255)
addresses = (
    tcp
    | unix
    | st.builds(InheritedDescriptor, st.integers(0, 999_999_999))
    | st.builds(SystemdSockets, names)
)


@given(addresses)
def test_address_is_made_again_of_the_text_that_it_is_written_as(address):
    assert parse_address(format_text(address)) == address


@given(st.text() | st.text("unixsystemdfd:/[]?=@mode0123%.\0 ", max_size=30))
def test_any_text_is_an_address_or_refused_in_one_sentence(text):
    said = []
    try:
        address = parse_address(text)
    except ValueError as error:
        said.append(str(error))
    else:
        assert parse_address(format_text(address)) == address

    assert all(re.fullmatch(r"[^\n]+", each) for each in said)


def test_address_is_a_kind_of_value():
    assert (ADDRESS.metavar, ADDRESS.completes) == ("ADDRESS", "file")
    assert ADDRESS.format(ADDRESS.parse("[::1]:80")) == "[::1]:80"


@pytest.mark.parametrize("text", ["127.0.0.1:80", "[::1]:80", ":80", "unix:/run/m.sock", "unix:./m?mode=660"])
def test_address_that_we_open_ourselves_is_known_from_the_name_of_an_application(text):
    assert OWN_ADDRESS.parse(text) == parse_address(text)
    assert re.search(OWN_ADDRESS.mark, text)


@pytest.mark.parametrize("text", ["app:Handler", "./app.py:Handler", "unix:Handler", "web.app:H8080"])
def test_name_of_an_application_is_no_address(text):
    assert not re.search(OWN_ADDRESS.mark, text)


@pytest.mark.parametrize("text", ["fd://3", "systemd", "systemd:web", "x"])
def test_what_others_have_opened_is_none_of_our_own(text):
    with pytest.raises(ValueError, match="HOST:PORT"):
        OWN_ADDRESS.parse(text)
