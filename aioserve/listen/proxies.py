"""The options about proxies in front."""

from __future__ import annotations

from typing import ClassVar

from aioserve.kinds import Kind, choice
from aioserve.options import option, repeatable
from aioserve.values import value

OFF = "off"
X_FORWARDED = "x-forwarded"
FORWARDED = "forwarded"
PROXY_PROTOCOL = "proxy-protocol"


def _parse_trusted(text: str) -> tuple[str, ...]:
    from aioserve.trusted import read_trusted  # noqa: PLC0415 - 2 ms, and it is seldom given

    return read_trusted(text)


TRUSTED = Kind("CIDR[,...]", "a network, such as 10.0.0.0/8 or ::1, or unix", _parse_trusted, ",".join)


@value
class Proxies:
    """Whose word is taken for who the client is."""

    title: ClassVar[str] = "Proxies"

    headers: str = option(
        "--proxy-headers",
        choice(OFF, X_FORWARDED, FORWARDED, PROXY_PROTOCOL),
        OFF,
        "Where a proxy in front says who its client is: in `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`; "
        "in `Forwarded` (RFC 7239); or by the PROXY protocol, version 1 or 2, before the first byte of HTTP. "
        "The proxy must set or remove what is read here, or clients speak for it.",
    )
    trusted: tuple[tuple[str, ...], ...] = repeatable(
        "--trusted-proxies",
        TRUSTED,
        (("127.0.0.1", "::1", "unix"),),
        "The proxies that are believed: addresses, networks, and `unix` for whoever connects to a unix "
        "socket, with commas between them. From others the fields of `--proxy-headers` mean nothing, and "
        "with the PROXY protocol their connections are closed.",
    )
