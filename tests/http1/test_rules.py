"""What a server must refuse in a request whose grammar is right, clause by clause."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.errors import (
    BadStatusLine,
    HttpMethodNotAllowed,
    HttpProcessingError,
    InvalidHeader,
    PayloadTooLarge,
    TransferEncodingError,
)
from aioserve.http.messages import HttpVersion10, HttpVersion11, RequestMessage
from aioserve.http1 import rules
from aioserve.http1.rules import (
    REGISTERED_METHODS,
    judge_fields,
    judge_method,
    judge_target,
    must_be_allowed,
)
from tests.steps import repeats_of

LIMIT = 100


def judge(fields, version=HttpVersion11, *, limit=LIMIT):
    """Apply the rules to the fields of a request; give back what they made of it."""
    lowered = b"\n" + fields.lower()
    message = RequestMessage("POST", "/", version, fields, lowered)
    judge_fields(message, lowered, limit)
    return message


def refusal(judge, *args, **kwargs):
    """Return what a rule raised, or None."""
    try:
        judge(*args, **kwargs)
    except HttpProcessingError as error:
        return error
    return None


# The request line


def test_methods_are_those_registered():
    assert judge_method(b"GET", b"/", REGISTERED_METHODS) == "GET"
    assert judge_method(b"VERSION-CONTROL", b"/", REGISTERED_METHODS) == "VERSION-CONTROL"


@pytest.mark.parametrize("method", [b"FOO", b"get", b"GETS", b"PRI", b"TRACE"])
def test_another_method_is_not_implemented(method):
    assert refusal(judge_method, method, b"/", REGISTERED_METHODS).code == 501  # RFC 9110 §9.1


@pytest.mark.parametrize(
    ("clause", "target", "is_right"),
    [
        ("9112 §3.2.3: an authority", b"a.b:443", True),
        ("9112 §3.2.3: an address as authority", b"[::1]:443", True),
        ("9110 §9.3.6: without a port", b"a", False),
        ("9110 §9.3.6: an address without a port", b"[::1]", False),
        ("9110 §9.3.6: with an empty port", b"a:", False),
        ("9293 §3.1: with a port that is just too high", b"a:65536", False),
        ("9110 §9.3.6: without a host", b":80", False),
        ("9112 §3.2.3: with a URI", b"http://a:80/", False),
        ("9112 §3.2.3: with a path", b"/", False),
        ("9112 §3.2.3: with '*'", b"*", False),
    ],
)
def test_target_of_a_tunnel_is_judged_whether_tunnels_are_served_or_not(clause, target, is_right):
    code = refusal(judge_method, b"CONNECT", target, REGISTERED_METHODS).code
    assert code == (501 if is_right else 400), clause

    error = refusal(judge_method, b"CONNECT", target, REGISTERED_METHODS | {b"CONNECT": "CONNECT"})
    assert (error is None) is is_right, clause
    assert refusal(judge_target, "CONNECT", target.decode(), "http") is None


@pytest.mark.parametrize("name", ["Authorization", "Content-Type", "If-Range", "Range", "User-Agent"])
def test_a_field_with_one_value_comes_once(name):
    once = f"Host: a\r\n{name}: a\r\n".encode()

    assert refusal(judge, once) is None
    error = refusal(judge, once + f"{name.upper()}: b\r\n".encode())  # RFC 9110 §5.3
    assert isinstance(error, InvalidHeader)
    assert error.message == f"The {name} field came more than once."


@pytest.mark.parametrize("name", ["Cookie", "Accept", "X-Range", "Via"])
def test_other_fields_may_come_again(name):
    assert refusal(judge, f"Host: a\r\n{name}: a\r\n{name}: a\r\n".encode()) is None


def test_known_method_may_be_unwanted():
    assert refusal(must_be_allowed, "GET", ("GET", "HEAD")) is None

    error = refusal(must_be_allowed, "PUT", ("GET", "HEAD"))

    assert isinstance(error, HttpMethodNotAllowed)
    assert error.headers == (("Allow", "GET, HEAD"),)  # RFC 9110 §15.5.6


@pytest.mark.parametrize(
    ("clause", "method", "target"),
    [
        ("9112 §3.2.1: a path", "GET", "/"),
        ("9112 §3.2.1: a path that looks like an authority", "GET", "//a:b@c/"),
        ("9112 §3.2.1: what browsers send raw", "GET", "/a|b[c]{d}?e=`\\"),
        ("9112 §3.2.2: an http URI", "GET", "http://a/b?c"),
        ("9112 §3.2.2: without a path", "GET", "http://a"),
        ("9112 §3.2.2: with a query and no path", "GET", "http://a?b"),
        ("9112 §3.2.2: of any method", "OPTIONS", "http://a:8080"),
        ("3986 §3.1: schemes have no case", "GET", "HTTP://a/"),
        ("3986 §3.2.2: an address", "GET", "http://[::1]:80/"),
        ("9112 §3.2.4: the server itself", "OPTIONS", "*"),
    ],
)
def test_form_of_a_target_is_let_by_with_its_methods(clause, method, target):
    assert refusal(judge_target, method, target, "http") is None, clause


@pytest.mark.parametrize(
    ("clause", "method", "target", "code"),
    [
        ("9112 §3.2.4: '*' is of OPTIONS", "GET", "*", 400),
        ("9112 §3.2.3: an authority is of CONNECT", "GET", "a:80", 400),
        ("9112 §3.2: a relative path", "GET", "a", 400),
        ("9112 §3.2: a query alone", "GET", "?a", 400),
        ("9112 §3.2.2: another scheme", "GET", "ftp://a/", 400),
        ("9112 §3.2.2: a scheme alone", "GET", "http:", 400),
        ("9112 §3.2.2: no slashes", "GET", "http:a", 400),
        ("9112 §3.2.2: one slash", "GET", "http:/a", 400),
        ("9110 §4.2.1: no host", "GET", "http:///a", 400),
        ("9110 §4.2.1: a port and no host", "GET", "http://:80/", 400),
        ("9110 §4.2.4: user information", "GET", "http://u@a/", 400),
        ("3986 §3.2.3: a port of letters", "GET", "http://a:b/", 400),
        ("3986 §3.2.2: half an address", "GET", "http://[::1/", 400),
        ("3986 §3.2.2: half an address, the other half", "GET", "http://::1]/", 400),
        ("9110 §7.4: another origin's scheme", "GET", "https://a/", 421),
        ("9293 §3.1: a port that is just too high", "GET", "http://a:65536/", 400),
    ],
)
def test_another_form_of_a_target_is_refused(clause, method, target, code):
    error = refusal(judge_target, method, target, "http")

    assert error.code == code, clause
    assert isinstance(error, BadStatusLine) is (code == 400), clause


def test_scheme_is_that_of_the_connection():
    assert refusal(judge_target, "GET", "https://a/", "https") is None
    assert (
        str(refusal(judge_target, "GET", "http://a/", "https")) == "421, This connection serves https only."
    )


# Host


@pytest.mark.parametrize(
    "fields",
    [
        b"Host: a\r\n",
        b"hOST:a:80\r\n",
        b"A: b\r\nHost: \t[::1]:80 \t\r\nB: c\r\n",
        b"Host: A.\r\nExpect:100-continue\r\n",
    ],
)
def test_one_host_is_enough(fields):
    assert refusal(judge, fields) is None


@pytest.mark.parametrize(
    ("clause", "fields"),
    [
        ("9112 §3.2: none", b""),
        ("9112 §3.2: none, but others", b"A: Host: b\r\nX-Host: c\r\nHosts: d\r\nConnection: close\r\n"),
        ("9112 §3.2: two", b"Host: a\r\nHost: b\r\n"),
        ("9112 §3.2: the same twice", b"Host: a\r\nA: b\r\nhost: a\r\n"),
        ("9112 §3.2: two in one", b"Host: a, b\r\n"),
        ("9110 §4.2.1: an empty one", b"Host:\r\n"),
        ("9110 §4.2.1: blanks", b"Host: \t \r\n"),
        ("9110 §4.2.4: user information", b"Host: u@a\r\n"),
        ("9112 §3.2: a path", b"Host: a/b\r\n"),
        ("9112 §3.2: a URI", b"Host: http://a\r\n"),
        ("9110 §5.5: only blanks and tabs are trimmed", b"Host: a\xa0\r\n"),
    ],
)
def test_another_host_is_refused(clause, fields):
    assert isinstance(refusal(judge, fields), InvalidHeader), clause


def test_http_1_0_needs_no_host():
    assert refusal(judge, b"", HttpVersion10) is None
    assert refusal(judge, b"Host: a\r\n", HttpVersion10) is None
    assert isinstance(refusal(judge, b"Host: a b\r\n", HttpVersion10), InvalidHeader)
    assert isinstance(refusal(judge, b"Host: a\r\nHost: a\r\n", HttpVersion10), InvalidHeader)


# Connection


@pytest.mark.parametrize(
    ("clause", "fields", "version", "should_close"),
    [
        ("9112 §9.3: 1.1 persists", b"", HttpVersion11, False),
        ("9112 §9.3: 1.0 does not", b"", HttpVersion10, True),
        ("9112 §9.3: 1.1 may end", b"Connection: close\r\n", HttpVersion11, True),
        ("9112 §9.3: 1.0 may persist", b"Connection: keep-alive\r\n", HttpVersion10, False),
        ("9112 §9.3: an end comes first", b"Connection: keep-alive, close\r\n", HttpVersion10, True),
        ("9110 §7.6.1: options have no case", b"Connection: Close\r\n", HttpVersion11, True),
        ("9110 §7.6.1: one of a list", b"Connection: a,\tclose ,b\r\n", HttpVersion11, True),
        ("9110 §5.3: one of two lists", b"Connection: a\r\nConnection: close\r\n", HttpVersion11, True),
        ("9110 §5.6.1.2: empty elements", b"Connection: ,, close,\r\n", HttpVersion11, True),
        ("9110 §7.6.1: nothing", b"Connection:\r\n", HttpVersion11, False),
        ("9110 §7.6.1: another name that ends alike", b"Proxy-Connection: close\r\n", HttpVersion11, False),
        ("9110 §7.6.1: an option that begins alike", b"Connection: closed\r\n", HttpVersion11, False),
    ],
)
def test_connection_ends_when_it_is_said(clause, fields, version, should_close):
    assert judge(b"Host: a\r\n" + fields, version).should_close is should_close, clause


@pytest.mark.parametrize("value", [b"a b", b'"close"', b"close;a", b"close\xa0"])
def test_connection_is_a_list_of_tokens(value):
    assert isinstance(refusal(judge, b"Host: a\r\nConnection: " + value + b"\r\n"), InvalidHeader)


@pytest.mark.parametrize(
    ("clause", "fields", "version", "upgrade"),
    [
        ("9110 §7.8: named by Connection", b"Connection: Upgrade\r\nUpgrade: A\r\n", HttpVersion11, "A"),
        ("9110 §7.8: beside another", b"Connection: a, upgrade\r\nUpgrade: b/1\r\n", HttpVersion11, "b/1"),
        ("9110 §7.8: not named", b"Upgrade: a\r\n", HttpVersion11, None),
        ("9110 §7.8: named and not there", b"Connection: upgrade\r\n", HttpVersion11, None),
        ("9110 §7.8: never in 1.0", b"Connection: upgrade\r\nUpgrade: a\r\n", HttpVersion10, None),
    ],
)
def test_upgrade_is_asked_for_when_connection_names_it(clause, fields, version, upgrade):
    assert judge(b"Host: a\r\n" + fields, version).upgrade == upgrade, clause


# The framing of the body


@pytest.mark.parametrize("value", [b"chunked", b"Chunked", b" \tCHUNKED\t "])
def test_body_may_be_chunked(value):
    message = judge(b"Host: a\r\nTransfer-Encoding:" + value + b"\r\n")

    assert (message.chunked, message.content_length) == (True, None)


@pytest.mark.parametrize(
    ("clause", "value", "code"),
    [
        ("9112 §6.1: another coding below", b"gzip, chunked", 501),
        ("9112 §6.1: another coding", b"gzip", 501),
        ("9112 §6.1: none at all", b"identity", 501),
        ("9112 §7: one that ends alike", b"xchunked", 501),
        ("9112 §7: one that begins alike", b"chunk", 501),
        ("9112 §6.3: chunked is not the last", b"chunked, gzip", 400),
        ("9112 §6.1: chunked twice", b"chunked, chunked", 400),
        ("9112 §7.1: chunked has no parameters", b"chunked;a=b", 400),
        ("9110 §5.6.2: a quoted string", b'"chunked"', 400),
        ("9110 §5.6.1: an empty element before", b",chunked", 400),
        ("9110 §5.6.1: an empty element behind", b"chunked,", 400),
        ("9112 §6.1: nothing", b"", 400),
        ("9110 §5.5: what is no blank", b"chunked\xa0", 400),
        ("9110 §5.5: nor before", b"\x85chunked", 400),
    ],
)
def test_another_transfer_coding_is_refused(clause, value, code):
    error = refusal(judge, b"Host: a\r\nTransfer-Encoding: " + value + b"\r\n")

    assert error.code == code, clause
    assert isinstance(error, TransferEncodingError) is (code == 400), clause


@pytest.mark.parametrize(
    ("clause", "fields", "version"),
    [
        ("9112 §6.1: two fields", b"Transfer-Encoding: chunked\r\n" * 2, HttpVersion11),
        ("9112 §6.1: 1.0 has none", b"Transfer-Encoding: chunked\r\n", HttpVersion10),
        ("9112 §6.3: a length", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", HttpVersion11),
        ("9112 §6.3: a length below", b"Transfer-Encoding: chunked\r\nContent-Length: x\r\n", HttpVersion11),
    ],
)
def test_framing_that_could_be_read_in_two_ways_is_refused(clause, fields, version):
    assert isinstance(refusal(judge, b"Host: a\r\n" + fields, version), TransferEncodingError), clause


@pytest.mark.parametrize(
    ("clause", "value", "length"),
    [
        ("9110 §8.6: a number", b"5", 5),
        ("9110 §8.6: nothing to come", b"0", 0),
        ("9110 §8.6: leading zeros are no octal", b"0010", 10),
        ("9110 §5.5: blanks around", b"\t 7 \t", 7),
        ("as much as the limit", b"100", 100),
    ],
)
def test_length_is_a_number(clause, value, length):
    message = judge(b"Host: a\r\nContent-Length: " + value + b"\r\n")

    assert (message.content_length, message.chunked) == (length, False), clause


@pytest.mark.parametrize(
    ("clause", "fields"),
    [
        (f"9110 §8.6: {value!r} is no number", b"Content-Length: " + value + b"\r\n")
        for value in (
            *(b"", b"abc", b"+5", b"-1", b"-0", b"0x5", b"1_0", b"1 0"),
            *(b"5;", b"5.0", b"1e1", b"\xb2", b"5\xa0"),
        )
    ]
    + [
        ("9110 §8.6: a list of equal ones", b"Content-Length: 5, 5\r\n"),
        ("9110 §8.6: a list of others", b"Content-Length: 5, 6\r\n"),
        ("9110 §8.6: equal repeats", b"Content-Length: 5\r\n" * 2),
        ("9112 §6.3: others", b"Content-Length: 5\r\nContent-Length: 6\r\n"),
    ],
)
def test_another_length_is_refused(clause, fields):
    assert isinstance(refusal(judge, b"Host: a\r\n" + fields), InvalidHeader), clause


@pytest.mark.parametrize("value", [b"101", b"9223372036854775808", b"18446744073709551617", b"9" * 40])
def test_length_over_the_limit_is_too_large(value):
    error = refusal(judge, b"Host: a\r\nContent-Length: " + value + b"\r\n")

    assert isinstance(error, PayloadTooLarge)
    assert error.limit == LIMIT


def test_length_without_a_limit_still_has_an_end():
    most = b"9" * 19

    assert judge(b"Host: a\r\nContent-Length: " + most + b"\r\n", limit=0).content_length == int(most)
    assert isinstance(
        refusal(judge, b"Host: a\r\nContent-Length: " + most + b"9\r\n", limit=0), InvalidHeader
    )


def test_names_that_look_like_framing_are_none():
    message = judge(b"Host: a\r\nContent_Length: 5\r\nTransfer_Encoding: chunked\r\nX-Content-Length: 5\r\n")

    assert (message.content_length, message.chunked) == (None, False)


# Expect and Content-Encoding


@pytest.mark.parametrize(
    ("clause", "fields", "version", "expects"),
    [
        ("9110 §10.1.1: a length", b"Expect: 100-continue\r\nContent-Length: 5\r\n", HttpVersion11, True),
        (
            "9110 §10.1.1: chunks, and no case",
            b"Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n",
            HttpVersion11,
            True,
        ),
        ("9110 §10.1.1: nothing to wait for", b"Expect: 100-continue\r\n", HttpVersion11, False),
        (
            "9110 §5.6.1: a list",
            b"Expect: ,100-continue,\r\nExpect: 100-continue\r\nContent-Length: 5\r\n",
            HttpVersion11,
            True,
        ),
        ("9110 §5.6.1: an empty list", b"Expect:\r\nContent-Length: 5\r\n", HttpVersion11, False),
        ("an empty body", b"Expect: 100-continue\r\nContent-Length: 0\r\n", HttpVersion11, False),
        ("9110 §10.1.1: 1.0", b"Expect: 100-continue\r\nContent-Length: 5\r\n", HttpVersion10, False),
        ("9110 §10.1.1: 1.0, another", b"Expect: a\r\nContent-Length: 5\r\n", HttpVersion10, False),
        ("9110 §10.1.1: not said", b"Content-Length: 5\r\n", HttpVersion11, False),
    ],
)
def test_client_waits_for_100_when_it_has_a_body(clause, fields, version, expects):
    assert judge(b"Host: a\r\n" + fields, version).expects_continue is expects, clause


@pytest.mark.parametrize(
    "fields",
    [b"Expect: a\r\n", b"Expect: 100-continue\r\nExpect: a\r\n", b"Expect: 100-continue, a\r\n"],
)
def test_another_expectation_fails(fields):
    assert refusal(judge, b"Host: a\r\n" + fields).code == 417


@pytest.mark.parametrize(
    ("clause", "fields", "coding"),
    [
        ("9110 §8.4: none", b"A: b\r\n", None),
        ("9110 §8.4: one", b"Content-Encoding: gzip\r\n", "gzip"),
        ("9110 §8.4.1: codings have no case", b"Content-Encoding: GZip\r\n", "gzip"),
        ("9110 §8.4.1.3: an old name", b"Content-Encoding: x-gzip\r\n", "gzip"),
        ("9110 §8.4.1: the one that is none", b"Content-Encoding: identity\r\n", None),
        ("9110 §8.4: nothing", b"Content-Encoding:\r\n", None),
        ("9110 §8.4: several", b"Content-Encoding: gzip\r\nContent-Encoding: br\r\n", "gzip, br"),
        ("9110 §5.5: bytes that no coding has", b"Content-Encoding: \xff\r\n", "\xff"),
    ],
)
def test_coding_of_the_body_is_named(clause, fields, coding):
    assert judge(b"Host: a\r\n" + fields).compression == coding, clause


# All of them

NAMES = st.sampled_from(
    [
        b"Host",
        b"Connection",
        b"Transfer-Encoding",
        b"Content-Length",
        b"Expect",
        b"Content-Encoding",
        b"Upgrade",
        b"A",
    ]
)
VALUES = st.sampled_from(
    [b"a", b"", b"close", b"upgrade", b"chunked", b"gzip", b"3", b"300", b"100-continue", b",", b'"', b":"]
)
FIELDS = st.lists(st.tuples(NAMES, st.lists(VALUES, max_size=2).map(b",".join)), max_size=6).map(
    lambda pairs: b"".join(b"%b: %b\r\n" % pair for pair in pairs)
)


@given(
    fields=FIELDS | FIELDS.map(lambda fields: b"Host: a\r\n" + fields),
    version=st.sampled_from([HttpVersion10, HttpVersion11]),
)
def test_any_fields_are_refused_or_frame_the_body_in_one_way(fields, version):
    error = refusal(judge, fields, version)
    if error is not None:
        assert error.code in {400, 413, 417, 501}
        return

    message, lowered = judge(fields, version), fields.lower()
    assert lowered.count(b"host:") == 1 or (version is HttpVersion10 and b"host:" not in lowered)
    assert message.chunked is (b"transfer-encoding:" in lowered)
    assert (message.content_length is not None) is (b"content-length:" in lowered)
    assert not (message.chunked and message.content_length is not None)
    assert (message.content_length or 0) <= LIMIT
    assert not message.expects_continue or message.chunked or message.content_length


PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
TARGETS = PRINTABLE | st.text("/:@[]*?ahtps.%1", min_size=1) | PRINTABLE.map("http://{}".format)


@given(method=st.sampled_from(sorted(REGISTERED_METHODS.values())), target=TARGETS)
def test_any_target_is_let_by_or_refused(method, target):
    error = refusal(judge_target, method, target, "http")

    assert error is None or error.code in {400, 421}


@pytest.mark.parametrize("pattern", [each for each in vars(rules).values() if isinstance(each, re.Pattern)])
def test_every_repeat_is_possessive(pattern):
    assert set(repeats_of(pattern)) <= {"POSSESSIVE_REPEAT"}
