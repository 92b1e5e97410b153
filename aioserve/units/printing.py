"""The units one after the other, as ``systemctl cat`` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioserve.units.service_unit import format_service
from aioserve.units.socket_unit import format_socket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aioserve.options import Given
    from aioserve.settings import Settings
    from aioserve.units.place import Place


def format_units(which: str, typed: Mapping[str, Given], settings: Settings, place: Place) -> str:
    """Write the service, the socket, or both of them.

    Args:
        which: ``service``, ``socket`` or ``both``.
        typed: what was typed, by key.
        settings: what is in effect.
        place: where.

    Raises:
        ConfigurationError: a unit cannot say it.
        BindError: an address has a name that is none.
    """
    # Both are made, also where one is wanted: what is wrong with the other should be known then.
    units = {"service": format_service(typed, settings, place), "socket": format_socket(settings.bind, place)}
    chosen = {suffix: text for suffix, text in units.items() if which in (suffix, "both")}
    return "\n".join(f"# /etc/systemd/system/aioserve.{suffix}\n{text}" for suffix, text in chosen.items())
