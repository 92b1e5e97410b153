"""The id of each request, by which its traces in several logs are found.

This file decides which ids of others are taken, and how one is made where there is none. It is no secret and
proves nothing: a client may send any. One that is made says nothing of the server, such as how many requests
it had, and is the same twice in 10^10 with a chance of 1 in 20,000, however many workers there are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.http.messages import RequestMessage

# Those of UUIDs, base64 and the ids of load balancers. Nothing that a log, a shell or a page takes for more
# than text; a list, which repeated fields would be, has a blank.
_SAFE = re.compile(r"[A-Za-z0-9._~:/+=@-]{1,128}", re.ASCII)

_BITS = 80


def make_identifier(*, wanted: bool) -> Callable[[RequestMessage], str] | None:
    """Return what gives a request its id, and returns it; None where none is wanted.

    To be called in the process that answers: two that came out of one by a fork would make the same ids.
    """
    if not wanted:
        return None
    from random import Random  # noqa: PLC0415 - loaded where it is wanted, as it takes 2 ms

    # 0.6 us; uuid4 takes 7, and a prefix with a counter as long as this. A generator of our own, since an
    # application may give the common one the same seed in each worker.
    random_bits = Random().getrandbits  # noqa: S311 - an id is no secret

    def identify(message: RequestMessage) -> str:
        given = message.field("x-request-id")
        if given is None or not _SAFE.fullmatch(given):
            given = f"{random_bits(_BITS):020x}"
        message.request_id = given
        return given

    return identify
