"""What of the words of proxies is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.http.forwarded import NOTHING, Origin, read_forwarded, read_x_forwarded
from aioserve.http.messages import HttpVersion11, RequestMessage
from aioserve.http1.grammar import HOST
from aioserve.trusted import TrustedPeers, read_address

OURS = TrustedPeers(("10.0.0.0/8", "fd00::/8")).covers_host
CLIENT = ("192.0.2.7", 0)


def request(*lines, path="/", scheme="http"):
    fields = "".join(f"{line}\r\n" for line in lines).encode("latin-1")
    message = RequestMessage("GET", path, HttpVersion11, fields, b"\n" + fields.lower())
    message.scheme = scheme
    return message


def x_forwarded(*lines, **more):
    return read_x_forwarded(request(*(f"X-Forwarded-{line}" for line in lines), **more), OURS)


def forwarded(*values):
    return read_forwarded(request(*(f"Forwarded: {value}" for value in values)), OURS)


@pytest.mark.parametrize("read", [read_x_forwarded, read_forwarded])
def test_nothing_is_told_by_nothing(read):
    assert read(request("Host: a"), OURS) == NOTHING == Origin(knows_client=False, client=None)


# X-Forwarded-For


@pytest.mark.parametrize(
    ("reason", "value", "client"),
    [
        ("one proxy tells", "192.0.2.7", CLIENT),
        ("the first from the right that is not trusted", "198.51.100.1, 192.0.2.7", CLIENT),
        ("over those that are", "198.51.100.1, 192.0.2.7, 10.0.0.1, 10.0.0.2", CLIENT),
        ("all are: the first of them", "10.0.0.9, 10.0.0.1", ("10.0.0.9", 0)),
        ("IPv4 in IPv6 is IPv4", "192.0.2.7, ::ffff:10.0.0.1", CLIENT),
        ("and is shown as that", "::ffff:192.0.2.7", CLIENT),
        ("a port", "192.0.2.7:4711", ("192.0.2.7", 4711)),
        ("IPv6 bare", "2001:DB8::1", ("2001:db8::1", 0)),
        ("IPv6 in brackets", "[2001:db8::1]", ("2001:db8::1", 0)),
        ("with a port", "[2001:db8::1]:4711", ("2001:db8::1", 4711)),
        ("9110 §5.6.1.2: empty elements do not count", ", 192.0.2.7 ,,\t10.0.0.1,", CLIENT),
        ("garbage further left is not looked at", "<script>, 192.0.2.7", CLIENT),
        ("garbage ends the walk", "192.0.2.7, garbage, 10.0.0.1", ("10.0.0.1", 0)),
    ],
)
def test_client_is_found_from_the_right(reason, value, client):
    assert x_forwarded(f"For: {value}") == Origin(knows_client=True, client=client), reason


@pytest.mark.parametrize(
    "value",
    [
        *("garbage", "unknown", "_hidden", "192.0.2", "192.0.2.07", "192.0.2.7:", "192.0.2.7:65536"),
        *("192.0.2.7:123456", "[192.0.2.7]", "[2001:db8::1", "2001:db8::1]", "[::1]x", "fe80::1%eth0"),
        *("[fe80::1%25eth0]", '"192.0.2.7"', "192.0.2.7 192.0.2.8", "\xb2.0.2.7"),
    ],
)
def test_garbage_is_not_believed_and_nobody_takes_its_place(value):
    assert x_forwarded(f"For: 198.51.100.1, {value}") == NOTHING


def test_repeated_fields_are_one_list():
    """RFC 9110 §5.3."""
    assert x_forwarded("For: 198.51.100.1, 192.0.2.7", "For: 10.0.0.1").client == CLIENT


def test_walk_has_an_end():
    many = ["192.0.2.7", *["10.0.0.9"], *["10.0.0.1"] * 64]

    assert x_forwarded(f"For: {', '.join(many)}").client == ("10.0.0.1", 0)
    assert forwarded(", ".join(f"for={each}" for each in many)).client == ("10.0.0.1", 0)


# The other three


@pytest.mark.parametrize(
    ("reason", "lines", "scheme", "host"),
    [
        ("one value", ["Proto: https", "Host: a.example"], "https", "a.example"),
        ("schemes have no case", ["Proto: HTTPS"], "https", ""),
        ("a host may have a port", ["Host: a.example:8443"], "", "a.example:8443"),
        ("or be an address", ["Host: [2001:db8::1]:80"], "", "[2001:db8::1]:80"),
        ("no scheme of HTTP", ["Proto: wss"], "", ""),
        ("no host", ["Host: a b"], "", ""),
        ("no host either", ["Host: a.example/path"], "", ""),
        ("nor this", ["Host: user@a.example"], "", ""),
        ("nor bytes", ["Host: \xff"], "", ""),
        ("nor this port", ["Host: a.example:65536"], "", ""),
        ("without X-Forwarded-For the last", ["Proto: https, http", "Host: a, b"], "http", "b"),
        ("the client's, by its place", ["For: 192.0.2.7, 10.0.0.1", "Proto: https, http"], "https", ""),
        ("what it sent is further left", ["For: 1.1.1.1, 192.0.2.7", "Proto: https, http"], "http", ""),
        ("one for all", ["For: 192.0.2.7, 10.0.0.1, 10.0.0.2", "Proto: https", "Host: a"], "https", "a"),
        ("a bad one is not replaced", ["For: 192.0.2.7, 10.0.0.1", "Proto: x, https"], "", ""),
    ],
)
def test_scheme_and_host_are_those_that_the_clients_proxy_was_asked_for(reason, lines, scheme, host):
    told = x_forwarded(*lines)

    assert (told.scheme, told.host) == (scheme, host), reason


@pytest.mark.parametrize(
    ("reason", "lines", "host"),
    [
        ("it is the host's", ["Host: a.example", "Port: 8443"], "a.example:8443"),
        ("or that of Host", ["Port: 8443"], "own.example:8443"),
        ("the scheme implies it", ["Host: a.example", "Proto: https", "Port: 443"], "a.example"),
        ("http as well", ["Host: a.example", "Port: 80"], "a.example"),
        ("another scheme does not", ["Host: a.example", "Proto: https", "Port: 80"], "a.example:80"),
        ("a host may have one already", ["Host: a.example:1", "Port: 2"], "a.example:1"),
        ("colons of an address are no port", ["Host: [::1]", "Port: 8443"], "[::1]:8443"),
        ("none", ["Host: a.example", "Port: 0"], "a.example"),
        ("none", ["Host: a.example", "Port: 65536"], "a.example"),
        ("none", ["Host: a.example", "Port: 8443x"], "a.example"),
    ],
)
def test_port_completes_the_host(reason, lines, host):
    message = request("Host: own.example", *(f"X-Forwarded-{line}" for line in lines))

    assert read_x_forwarded(message, OURS).host == host, reason


def test_port_needs_a_host_and_goes_by_the_scheme_of_the_connection():
    assert x_forwarded("Port: 8443").host == ""
    assert x_forwarded("Host: a", "Port: 443", scheme="https").host == "a"


# Forwarded


@pytest.mark.parametrize(
    ("reason", "values", "client"),
    [
        ("§4: a token", ["for=192.0.2.7"], CLIENT),
        ("names have no case", ["For=192.0.2.7"], CLIENT),
        ("a quoted string", ['for="192.0.2.7:4711"'], ("192.0.2.7", 4711)),
        ("with an escape", [r'for="192\.0.2.7"'], CLIENT),
        ("§6: IPv6", ['for="[2001:DB8::1]:4711"'], ("2001:db8::1", 4711)),
        ("without a port", ['for="[2001:db8::1]"'], ("2001:db8::1", 0)),
        ("§6.3: a hidden port", ['for="192.0.2.7:_https"'], CLIENT),
        ("over trusted ones", ['for=1.1.1.1, for=192.0.2.7;by=_x, for="[fd00::1]"'], CLIENT),
        ("several fields", ["for=1.1.1.1, for=192.0.2.7", "for=10.0.0.1"], CLIENT),
        ("a comma in a quoted string", ['for=192.0.2.7;a="x, for=1.1.1.1"'], CLIENT),
        ("a quote in one", [r'for=192.0.2.7;a="x\", for=1.1.1.1"'], CLIENT),
        ("§4: empty pairs and elements", [",;for=192.0.2.7;;by=a; ,"], CLIENT),
        ("§6.2: the client is hidden", ["for=1.1.1.1, for=unknown, for=10.0.0.1"], None),
        ("§6.3: it has a name", ["for=1.1.1.1, for=_hidden"], None),
        ("and a port", ['for="_hidden:_port"'], None),
        ("garbage ends the walk", ["for=1.1.1.1, for=garbage, for=10.0.0.1"], ("10.0.0.1", 0)),
        ("so does what is malformed", ["for=1.1.1.1, for =1.1.1.1, for=10.0.0.1"], ("10.0.0.1", 0)),
        ("and an element without a client", ["for=1.1.1.1, by=a, for=10.0.0.1"], ("10.0.0.1", 0)),
        ("a quote that never ends", ['for="', "for=192.0.2.7"], CLIENT),
        ("or in what the proxy added", ['for=1.1.1.1;a="', 'for="192.0.2.7"'], CLIENT),
        ("or seems to", [r'for=1.1.1.1;a="\\', 'for="192.0.2.7";by=""'], CLIENT),
    ],
)
def test_client_of_forwarded_is_found_from_the_right(reason, values, client):
    told = forwarded(*values)

    assert (told.knows_client, told.client) == (True, client), reason


@pytest.mark.parametrize(
    "last",
    [
        *("garbage", "for=", 'for=""', "for", "=1.1.1.1", "for=192.0.2", 'for="1.1.1.1', "for=1.1.1.1 by=a"),
        *("for=1.1.1.1;for=1.1.1.1", "for=1.1.1.1;FOR=1.1.1.2", "for=[::1]", "for=::1", 'for="::1"'),
        *("for=1.1.1.1:80", "for='1.1.1.1'", "for=1.1.1.1, for=\xff", 'for="1.1.1.1"x', "for=_a b", "for=_"),
    ],
)
def test_malformed_element_is_not_believed(last):
    assert forwarded(f"for=1.1.1.1;proto=https;host=a, {last}") == NOTHING


@pytest.mark.parametrize(
    ("reason", "value", "expected"),
    [
        ("all of one element", 'for=192.0.2.7;proto=https;host="a:1"', (CLIENT, "https", "a:1")),
        ("in any order", "host=a;proto=HTTP;for=192.0.2.7", (CLIENT, "http", "a")),
        ("the client's", "for=192.0.2.7;proto=https, for=10.0.0.1;proto=http;host=b", (CLIENT, "https", "")),
        ("not what the client sent", "for=1.1.1.1;proto=https, for=192.0.2.7", (CLIENT, "", "")),
        ("no scheme of HTTP", "for=192.0.2.7;proto=ws", (CLIENT, "", "")),
        ("no host", 'for=192.0.2.7;host="a b"', (CLIENT, "", "")),
        ("no client", "proto=https;host=a", (None, "https", "a")),
        ("none behind a proxy of ours", "proto=https, for=10.0.0.1", (("10.0.0.1", 0), "https", "")),
        ("a hidden one", "for=_a;proto=https;host=a", (None, "https", "a")),
    ],
)
def test_element_of_the_client_tells_scheme_and_host(reason, value, expected):
    told = forwarded(value)

    assert (told.client, told.scheme, told.host) == expected, reason


# Properties

PARTS = st.sampled_from(
    [
        *(
            "for=",
            "For=",
            "proto=",
            "host=",
            "by=",
            "192.0.2.7",
            "10.0.0.1",
            "[fd00::1]",
            "::ffff:10.0.0.1",
            "_x",
        ),
        *('"', '""', "\\", ";", ",", ", ", "=", " ", "https", "a.example", ":80", "unknown", "\xff"),
    ]
)
TEXTS = st.lists(PARTS, max_size=25).map("".join) | st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=40
)


def is_sound(told):
    """Whether what is believed is what it has to be, whatever was sent."""
    if told.client is not None:
        host, port = told.client
        assert told.knows_client
        assert str(read_address(host)) == host
        assert 0 <= port <= 65535
    assert told.scheme in ("", "http", "https")
    return not told.host or HOST.fullmatch(told.host.encode())


@given(st.lists(TEXTS, max_size=3), TEXTS, TEXTS, TEXTS)
def test_whatever_is_sent_only_addresses_schemes_and_hosts_come_out(many, proto, host, port):
    lines = [f"For: {each}" for each in many]

    assert is_sound(x_forwarded(*lines, f"Proto: {proto}", f"Host: {host}", f"Port: {port}"))
    assert is_sound(forwarded(*many))


@given(st.lists(TEXTS, max_size=3), st.sampled_from(["192.0.2.7", "2001:db8::1"]), st.integers(0, 3))
def test_no_client_speaks_for_another(sent, address, proxies):
    """Whatever a client sends, behind it stands what proxies of ours added, and that is all that counts."""
    node = f'"[{address}]"' if ":" in address else address
    told = [node, *['"[fd00::1]"', "10.0.0.1", '"10.0.0.2:80"'][:proxies]]
    ours = ", ".join(f'for={each};proto=https;host="a:1";by=""' for each in told)

    expected = Origin(knows_client=True, client=(address, 0), scheme="https", host="a:1")
    assert forwarded(*sent, ours) == expected
    assert forwarded(", ".join([*sent, ours])) == expected
    plain = ", ".join(each.strip('"') for each in told)
    assert x_forwarded(*(f"For: {each}" for each in sent), f"For: {plain}").client == (address, 0)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_any_text_can_be_quoted(text):
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')

    assert forwarded(f'for=1.1.1.1, for=192.0.2.7;a="{quoted}";proto=https').scheme == "https"


@pytest.mark.parametrize(
    "piece", ['"', ",", ";", '",', 'a="', "for=10.0.0.1,", '\\"', "for=", 'a="";', '"\\']
)
def test_time_is_linear(piece):
    """What is quadratic takes minutes for a million bytes, and the limit of a test is two."""
    value = piece * (1_000_000 // len(piece))

    assert is_sound(forwarded(value))
    assert is_sound(x_forwarded(f"For: {value}", f"Proto: {value}", f"Host: {value}", f"Port: {value}"))
