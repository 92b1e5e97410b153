"""A socket that is not for the public, but for questions about the server."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from aioserve.errors import BindError
from aioserve.listen.addresses import parse_address
from aioserve.listen.sockets import bind_sockets, rebind
from tests.listen.test_sockets import addresses


@pytest.fixture
def opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with ExitStack() as opened:
        yield opened


@pytest.mark.parametrize("text", ["127.0.0.1:0", "unix:aside"])
def test_address_aside_is_no_public_one(opened, text):
    listening = opened.enter_context(closing(bind_sockets(addresses("127.0.0.1:0"), parse_address(text))))

    assert len(listening.sockets) == len(listening.aside) == 1
    assert listening.sockets != listening.aside
    assert Path("aside").exists() == text.startswith("unix")
    again = rebind(addresses("127.0.0.1:0"), listening, parse_address(text))
    assert (again.sockets, again.aside) == (listening.sockets, listening.aside)


def test_address_aside_that_is_taken_is_told_with_the_others(opened):
    held = opened.enter_context(closing(bind_sockets(addresses("127.0.0.1:0", "127.0.0.2:0"))))
    one, other = ("{}:{}".format(*each.getsockname()) for each in held.sockets)

    with pytest.raises(BindError, match=r"127\.0\.0\.1") as caught:
        bind_sockets(addresses(one), parse_address(other))
    assert ["127.0.0.2" in str(each) for each in caught.value.others] == [True]


def test_address_aside_is_shared_with_nobody(opened):
    """Each server has its own numbers to tell."""
    one = opened.enter_context(
        closing(bind_sockets(addresses("127.0.0.1:0", reuse_port=True), parse_address("127.0.0.1:0")))
    )
    port = one.aside[0].getsockname()[1]

    with pytest.raises(BindError, match=str(port)):
        bind_sockets(addresses("127.0.0.1:0", reuse_port=True), parse_address(f"127.0.0.1:{port}"))


def test_address_aside_is_closed_when_it_is_given_up(opened):
    held = opened.enter_context(closing(bind_sockets(addresses("127.0.0.1:0"), parse_address("unix:aside"))))
    (sock,) = held.aside
    new = rebind(addresses("127.0.0.1:0"), held)
    held.close(keep=new)

    assert (sock.fileno(), Path("aside").exists()) == (-1, False)
    assert new.sockets[0].fileno() >= 0
