"""The whole picture, for any size of a terminal.

This file decides which parts there are, in which order, and how many lines each of them has. It is pure: a
scene and a size become lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group

from aioserve.live.lines import DIM, STATUSES, crop, format_number, make_line, side_by_side
from aioserve.live.panels import (
    Scene,
    show_answers,
    show_busiest,
    show_connections,
    show_durations,
    show_errors,
    show_foot,
    show_head,
    show_message,
    show_messages,
    show_slowest,
    show_traffic,
    show_workers,
)
from aioserve.live.rates import last_columns
from aioserve.live.sparkline import draw_columns
from aioserve.observe.formats import format_clock, format_duration, format_size
from aioserve.observe.snapshot import STATUS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

    from aioserve.live.lines import Part

    Show = Callable[[Scene, int, int], list[Text]]

_NARROW, _LOW = 60, 20  # columns and lines; with less there is a line for each thing
_WIDE = 120  # columns from which on parts stand beside one another
_GAP = 3


@dataclass(frozen=True, slots=True)
class Band:
    """Parts that stand beside one another, over the whole width.

    Attributes:
        parts: from left to right.
        least: lines that it needs.
        most: lines that it has a use for.
        weight: how much of what is left over it gets, beside others.
    """

    parts: tuple[Show, ...]
    least: int
    most: int
    weight: int


def draw_picture(scene: Scene, width: int, height: int) -> Group:
    """Draw everything, in exactly so many columns and lines."""
    if width < _NARROW or height < _LOW:
        lines = _draw_compact(scene, width, height)
    else:
        lines = _draw_bands(scene, width, height)
    return Group(*fill(lines, width, height))


def fill(lines: list[Text], width: int, height: int) -> list[Text]:
    """Bring the lines to a number: the last one stays the last."""
    missing = height - len(lines)
    if missing < 0:
        return lines[:height]
    return [*lines[:-1], *(make_line(width) for _ in range(missing)), *lines[-1:]]


def share_lines(bands: list[Band], height: int) -> list[int]:
    """Give each band its lines: what it needs, and of the rest what it can use, by weight."""
    given = [band.least for band in bands]
    for _ in range(height - sum(given)):
        hungry = [index for index, band in enumerate(bands) if given[index] < band.most]
        if not hungry:
            break
        given[min(hungry, key=lambda index: given[index] / bands[index].weight)] += 1
    return given


def _bands_for(scene: Scene, width: int) -> list[Band]:
    """Say what stands where; parts that have little to say leave their lines to the columns.

    Messages have a part when there are any: who attaches gets none.
    """
    latest, messages = scene.latest, len(scene.messages) + 1
    workers, paths, errors = len(latest.workers) + 1, len(latest.paths) + 1, len(latest.errors) + 1
    answers = Band((show_answers, show_workers), 5, min(max(5, workers), 12), 2)
    if width < _WIDE:
        bands = [
            Band((show_traffic,), 5, 20, 3),
            answers,
            Band((show_busiest,), 5, min(max(5, paths), 14), 3),
            Band((show_errors,), 3, min(max(3, errors), 9), 2),
        ]
        return [*bands, Band((show_messages,), 3, max(3, messages), 2)] if scene.messages else bands
    last = (show_errors, show_messages) if scene.messages else (show_errors,)
    return [
        Band((show_traffic,), 6, 24, 2),
        answers,
        Band((show_busiest, show_slowest), 5, min(max(5, paths), 21), 3),
        Band(last, 4, max(4, errors, messages), 3),
    ]


def _draw_bands(scene: Scene, width: int, height: int) -> list[Text]:
    bands = _bands_for(scene, width)
    gap = 1 if height >= 2 + 1 + sum(band.least for band in bands) + 2 * len(bands) else 0
    lines = show_head(scene, width, 2)
    for band, rows in zip(bands, share_lines(bands, height - 3 - gap * len(bands)), strict=True):
        lines += [make_line(width)] * gap
        lines += _draw_band(scene, band, width, rows)
    return [*lines, show_foot(scene, width)]


def _draw_band(scene: Scene, band: Band, width: int, rows: int) -> list[Text]:
    number = len(band.parts)
    each = (width - _GAP * (number - 1)) // number
    widths = [each] * (number - 1) + [width - (each + _GAP) * (number - 1)]
    blocks = [(room, show(scene, room, rows)) for room, show in zip(widths, band.parts, strict=True)]
    return fill([*side_by_side(blocks, _GAP), make_line(width)], width, rows)


def _draw_compact(scene: Scene, width: int, height: int) -> list[Text]:
    """Draw one line for each thing, the most important ones first."""
    latest, history = scene.latest, scene.history
    number = f"{format_number(history.rates.requests)} /s "
    room = max(width - len(number), 0)
    values = [*last_columns(history.series, history.seconds, room, 2)]
    (columns,) = draw_columns(values, room, 1, top=max(values, default=0.0), blocks=scene.glyphs.columns)
    lines = [
        *show_head(scene, width, 2),
        make_line(width, (number, STATUSES["2xx"]), columns),
        show_durations(scene, width),
        _answers_line(scene, width),
        show_connections(scene, width),
        _workers_line(scene, width),
    ]
    lines += [
        make_line(
            width,
            (format_clock(each.time), DIM),
            (f" {each.status} ", STATUSES.get(f"{each.status // 100}xx", DIM)),
            crop(each.request, width - 13, scene.glyphs),
        )
        for each in latest.errors[:2]
    ]
    lines += [show_message(text, width, scene.glyphs) for text in scene.messages[-2:]]
    lines += show_busiest(scene, width, height)[1:]
    return [*lines[: max(height - 1, 0)], show_foot(scene, width)]


def _answers_line(scene: Scene, width: int) -> Text:
    rates = scene.history.recent
    parts: list[Part] = []
    for name, rate in zip(STATUS_CLASSES, rates.classes, strict=True):
        if rate:
            parts.append((f"{name} {rate / max(rates.requests, rate):.1%}  ", STATUSES[name]))
    return make_line(width, *(parts or [("no answers in the last 10s", DIM)]))


def _workers_line(scene: Scene, width: int) -> Text:
    workers = scene.latest.workers
    text = f"{len(workers)} worker{'' if len(workers) == 1 else 's'}"
    lag = max((each.lag for each in workers), default=0.0)
    return make_line(
        width, text, (f"  {format_size(sum(each.rss for each in workers))}  lag {format_duration(lag)}", DIM)
    )
