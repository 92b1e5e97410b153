"""Whose request it is, where a proxy passes it on.

This file alone decides whose word is asked for, and what of a request follows from it. What is not told, or
not by a trusted proxy, stays as the connection has it.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from aioserve.http.forwarded import read_forwarded, read_x_forwarded
from aioserve.listen.proxies import FORWARDED, X_FORWARDED
from aioserve.trusted import TrustedPeers

if TYPE_CHECKING:
    from collections.abc import Callable

    from aioserve.http.forwarded import IsTrusted, Origin
    from aioserve.http.messages import RequestMessage
    from aioserve.listen.proxies import Proxies

    Read = Callable[[RequestMessage, IsTrusted], Origin]

_READERS: dict[str, Read] = {X_FORWARDED: read_x_forwarded, FORWARDED: read_forwarded}


def trusted_by(proxies: Proxies) -> TrustedPeers:
    """Return those whom the options trust."""
    return TrustedPeers(chain.from_iterable(proxies.trusted))


def make_origin_reader(proxies: Proxies, scheme: str) -> Callable[[RequestMessage], None] | None:
    """Return what gives a request its client, scheme and host; None where no field is to be read.

    It is called with requests whose ``peer`` is that of their connection, and may be called again with one
    that has come over another connection: a ready answer has one request for all.

    Args:
        proxies: the options.
        scheme: as connections speak.
    """
    read = _READERS.get(proxies.headers)
    if read is None:
        return None
    trusted = trusted_by(proxies)

    def read_origin(message: RequestMessage) -> None:
        message.set_origin(scheme, "")
        if not trusted.covers(message.peer):
            return
        told = read(message, trusted.covers_host)
        if told.knows_client:
            message.peer = told.client
        if told.scheme or told.host:
            message.set_origin(told.scheme or scheme, told.host or message.host)

    return read_origin
