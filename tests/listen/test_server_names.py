"""Names of certificates and names that clients ask for, as texts; and those that are none."""

from __future__ import annotations

import logging
import ssl
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aioserve.listen.server_names import BadNamesHook, find_name, index_names
from aioserve.listen.tls import make_context
from aioserve.settings import Tls
from tests.listen.handshakes import Handshake

TABLE = index_names(
    [
        (("example.org", "*.example.org"), "first"),
        (("www.example.org", "example.org", "a.b.example.org"), "second"),
        (("f*.example.com", "*.*.example.net", "*", "xn--caf-dma.example"), "third"),
    ]
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("example.org", "first"),
        ("EXAMPLE.org", "first"),
        ("example.org.", "first"),
        ("mail.example.org", "first"),
        ("Mail.Example.ORG", "first"),
        ("xn--caf-dma.example.org", "first"),
        ("www.example.org", "second"),
        ("a.b.example.org", "second"),
        ("c.b.example.org", None),
        (".example.org", None),
        ("foo.example.com", None),
        ("a.b.example.net", None),
        ("org", None),
        ("localhost", None),
        ("", None),
        (".", None),
        ("xn--caf-dma.example", "third"),
    ],
)
def test_names_are_compared_as_rfc_9525_6_3_says(name, found):
    assert find_name(TABLE, name) == found


@given(st.text(st.characters(max_codepoint=127)))
def test_a_wildcard_stands_for_one_label(name):
    table = index_names([(("*.example.org",), "found")])
    first, _, rest = name.lower().removesuffix(".").partition(".")
    assert (find_name(table, name) == "found") == (bool(first) and rest == "example.org")
    label = name.replace(".", "") or "a"
    assert find_name(table, f"{label}.example.org") == "found"
    assert find_name(table, f"{label}.{label}.example.org") is None


# Names that are none


@pytest.fixture
def hook():
    hook = BadNamesHook()
    hook.install()
    yield hook
    hook.remove()


@pytest.mark.usefixtures("hook")
def test_a_name_that_is_not_ascii_fails_its_handshake_in_silence(capfd, caplog):
    caplog.set_level(logging.DEBUG)
    server = make_context(Tls())
    server.sni_callback = lambda *_: pytest.fail("a name was made of it")
    client = ssl.create_default_context()

    with pytest.raises(ssl.SSLError):
        Handshake(server, client).run(lambda data: data.replace(b"localhost", b"local\xffost"))

    assert capfd.readouterr() == ("", "")
    assert caplog.messages == [r"a client asks for a name that is none: b'local\xffost'"]


def test_others_are_heard_by_whoever_heard_them_before(monkeypatch):
    heard = []
    monkeypatch.setattr(sys, "unraisablehook", heard.append)
    hook = BadNamesHook()
    hook.install()

    class Bad:
        def __del__(self):
            raise ValueError("mine")

    Bad()
    hook.remove()

    assert [each.exc_value.args for each in heard] == [("mine",)]
    assert sys.unraisablehook == heard.append


def test_whoever_came_later_stays(monkeypatch, hook):
    monkeypatch.setattr(sys, "unraisablehook", print)
    hook.remove()
    assert sys.unraisablehook is print
