from __future__ import annotations

import pytest

from aioserve.live.settings import Live
from aioserve.options import Given, Reach
from aioserve.settings import OPTIONS, build_settings


@pytest.mark.parametrize(
    ("live", "is_watched"),
    [
        (Live(), False),
        (Live(live=True), True),
        (Live(control="/run/ctl"), True),
        (Live(attach="/run/ctl"), False),
    ],
)
def test_a_server_is_watched_where_somebody_can_look_on(live, is_watched):
    assert live.is_watched is is_watched


def test_a_view_is_for_who_types_it_and_a_socket_is_for_every_start():
    assert OPTIONS["live"].reach is OPTIONS["attach"].reach is Reach.TYPED
    assert OPTIONS["control"].reach is Reach.FILE
    assert build_settings({"control": Given(("ctl",), "x")}).live == Live(control="ctl")
