"""Which layout of the access log a name, or a text with directives, asks for.

This file decides the names. What only few ask for is loaded when they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aioserve.observe.formats import FORMATS

if TYPE_CHECKING:
    from aioserve.observe.access import Format

NAMES = (*FORMATS, "json")


def choose_format(layout: str) -> Format:
    """Return what makes the lines.

    Args:
        layout: one of `NAMES`, or a text with directives as `directives.compile_format` takes it.

    Raises:
        ValueError: it is neither, or would not make one line.
    """
    if layout in FORMATS:
        return FORMATS[layout]
    if layout == "json":
        from aioserve.observe.json_lines import format_json  # noqa: PLC0415 - brings json and datetime

        return format_json
    if "%" not in layout:
        raise ValueError(f"{layout!r} is neither one of {', '.join(NAMES)} nor has it directives such as %a")
    from aioserve.observe.directives import compile_format  # noqa: PLC0415 - for those who use it

    return compile_format(layout)
