"""A row of numbers as a row of columns.

This file decides which character stands for which height. Every number above nothing is seen, however small
beside the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .:-=+*#@"
"""For terminals whose encoding has no blocks."""


def draw_columns(
    values: Sequence[float], width: int, height: int, *, top: float, blocks: str = BLOCKS
) -> list[str]:
    """Draw numbers as columns, the last one at the right edge.

    Args:
        values: at least 0; those that have no room are left out at the beginning.
        width: characters.
        height: lines.
        top: the number that reaches the upper edge.
        blocks: nine characters, from empty to full.

    Returns:
        The lines, the highest first.
    """
    steps = len(blocks) - 1
    shown = values[-width:] if width > 0 else ()
    heights = [_height_of(each, top, height * steps) for each in shown]
    margin = " " * (width - len(shown))
    return [
        margin + "".join(blocks[min(max(each - row * steps, 0), steps)] for each in heights)
        for row in reversed(range(height))
    ]


def draw_bar(share: float, width: int, *, full: str = "█", blocks: str = " ▏▎▍▌▋▊▉") -> str:
    """Draw a share of a whole as a bar from the left; what is more than nothing is seen."""
    steps = len(blocks)
    filled = _height_of(share, 1.0, width * steps)
    whole, part = divmod(filled, steps)
    return (full * whole + (blocks[part] if part else "")).ljust(width)[: max(width, 0)]


def _height_of(value: float, top: float, steps: int) -> int:
    if value <= 0 or top <= 0:
        return 0
    return min(max(round(min(value / top, 1.0) * steps), 1), steps)
