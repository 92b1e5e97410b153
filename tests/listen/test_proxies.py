"""The options about proxies: what holds where nothing is said, and what each text becomes."""

from __future__ import annotations

import pytest

from aioserve.errors import ConfigurationError
from aioserve.listen.proxies import Proxies
from aioserve.options import Given
from aioserve.settings import build_settings


def test_nobody_is_asked_by_default_and_then_only_this_machine():
    assert Proxies() == Proxies("off", (("127.0.0.1", "::1", "unix"),))


def test_networks_stand_between_commas_or_in_several_options():
    texts = ("10.0.0.0/8, ::ffff:192.0.2.1", "unix")

    proxies = build_settings({"trusted-proxies": Given(texts, "a test")}).proxies

    assert proxies.trusted == (("10.0.0.0/8", "192.0.2.1"), ("unix",))


@pytest.mark.parametrize("name", ["off", "x-forwarded", "forwarded", "proxy-protocol"])
def test_way_to_tell_is_read(name):
    assert build_settings({"proxy-headers": Given((name,), "a test")}).proxies.headers == name


def test_bad_network_is_named_with_where_it_stands():
    with pytest.raises(ConfigurationError, match=r"^--trusted-proxies: '10\.0\.0\.300' is not a network"):
        build_settings({"trusted-proxies": Given(("::1,10.0.0.300",), "--trusted-proxies")})
