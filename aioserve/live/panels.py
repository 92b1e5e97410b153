"""The parts of the picture, each for as many lines and columns as it is given.

This file decides what each part says. A part is a list of lines, of exactly the width that was asked for; it
may have fewer lines than there is room, and never more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aioserve.live.lines import (
    ACCENT,
    ADDRESS,
    ALARM,
    BOLD,
    DIM,
    PLAIN,
    STATUSES,
    WARNING,
    Glyphs,
    crop,
    format_number,
    format_span,
    make_heading,
    make_line,
)
from aioserve.live.rates import last_columns
from aioserve.live.sparkline import draw_bar, draw_columns
from aioserve.observe.formats import format_clock, format_duration, format_size
from aioserve.observe.snapshot import CONNECTION_STATES, STATUS_CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style
    from rich.text import Text

    from aioserve.live.lines import Part
    from aioserve.live.rates import History, PathRates
    from aioserve.observe.snapshot import Snapshot

_ROOMY = 70  # columns from which on there is room for what stands at the right edge
_LATE = 0.1  # seconds by which a loop is late that a person should see
_SLOW = 1.0  # seconds; the terminal's access log marks the same
_STATES = {"serving": ACCENT, "stopping": WARNING, "reloading": WARNING}
_SHORT = {"loads the application": "loading", "finishes what it has": "finishing"}

# What this server itself writes where no person reads: time, level, text.
_MESSAGE = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)[+-]\d{4} ([A-Z]+) (.*)", re.DOTALL)
_LEVELS = {"WARNING": WARNING, "ERROR": ALARM, "CRITICAL": ALARM, "DEBUG": DIM}


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to show.

    Attributes:
        history: of snapshots.
        latest: the last of them.
        messages: the last lines that the server has written, the newest last.
        keys: what the keys do.
        glyphs: that the terminal has.
    """

    history: History
    latest: Snapshot
    messages: Sequence[str]
    keys: str
    glyphs: Glyphs


def show_head(scene: Scene, width: int, rows: int) -> list[Text]:
    """Say who serves what, and where."""
    latest = scene.latest
    state, style = latest.state, _STATES.get(latest.state, WARNING)
    if state == "stopping":
        state += f", {sum(latest.connections)} connections left"
    up = ("up " + format_span(latest.time - latest.started), DIM)
    version = (f" {latest.version}", DIM)
    first = make_line(
        width, ("aioserve", BOLD), version, (f"  {scene.glyphs.mark} {state}", style), right=(up,)
    )
    addresses = "  ".join(latest.addresses)
    served = "serves " + ", ".join(latest.served) if latest.served else ""
    room = width - len(addresses) - 3
    right: tuple[Part, ...] = ((crop(served, room, scene.glyphs), DIM),) if served and room > 20 else ()
    second = make_line(width, (crop(addresses, width, scene.glyphs), ADDRESS), right=right)
    return [first, second][:rows]


def show_traffic(scene: Scene, width: int, rows: int) -> list[Text]:
    """Show requests over time, and what they took."""
    history = scene.history
    height = rows - 3
    per_column = 1 if width >= 120 else 2
    values = [*last_columns(history.series, history.seconds, width, per_column)]
    top = max(values, default=0.0)
    peak = f"peak {format_number(top)} in {format_span(min(len(history.series), width * per_column))}"
    number = f" {format_number(history.rates.requests)} /s "
    note: tuple[Part, ...] = ((peak, DIM),)
    heading = make_heading(width, "Requests" + number, scene.glyphs, note)
    heading.stylize(ADDRESS, len("Requests"), len("Requests" + number))
    columns = draw_columns(values, width, height, top=top, blocks=scene.glyphs.columns)
    return [
        heading,
        *(make_line(width, (line, ACCENT)) for line in columns),
        show_durations(scene, width),
        show_connections(scene, width),
    ]


def show_durations(scene: Scene, width: int) -> Text:
    """Say how long the last requests took, and what was sent."""
    found = scene.history.durations
    parts: list[Part] = []
    values = (found.median, found.p99, found.highest) if found else (None, None, None)
    for name, value in zip(("p50", "p99", "max"), values, strict=True):
        text = "-" if value is None else format_duration(value)
        style = WARNING if value is not None and value >= _SLOW else PLAIN
        parts += [(name + " ", DIM), (f"{text:<10}", style)]
    parts += [("out ", DIM), format_size(int(scene.history.rates.sent)) + "/s"]
    total: tuple[Part, ...] = (f"{scene.latest.total:,}", (" in all", DIM))
    return make_line(width, *parts, right=total if width >= _ROOMY else ())


def show_connections(scene: Scene, width: int) -> Text:
    """Say how many connections are open."""
    latest = scene.latest
    parts: list[Part] = []
    for name, number in zip(CONNECTION_STATES, latest.connections, strict=True):
        parts += [f"{number:,}", (f" {name}  ", DIM)]
    refused = sum(latest.refused.values())
    right: tuple[Part, ...] = ((f"{refused:,} refused", WARNING),) if refused and width >= _ROOMY else ()
    return make_line(width, *parts, right=right)


def show_answers(scene: Scene, width: int, rows: int) -> list[Text]:
    """Show how many answers are of which class."""
    rates = scene.history.recent
    shown = [
        (name, rate)
        for name, rate in zip(STATUS_CLASSES, rates.classes, strict=True)
        if name != "1xx" or rate
    ]
    lines = [make_heading(width, "Answers", scene.glyphs, (("last 10s", DIM),))]
    bar = max(width - len("2xx 123,456 /s 100.0% "), 0)
    for name, rate in shown[: rows - 1]:
        share = rate / rates.requests if rates.requests else 0.0
        style = STATUSES[name] if rate else DIM
        text = f"{name} {format_number(rate):>7} /s {share:6.1%} "
        drawn = draw_bar(share, bar, full=scene.glyphs.full, blocks=scene.glyphs.bar)
        lines.append(make_line(width, (text, style), (drawn, style)))
    return lines


def show_workers(scene: Scene, width: int, rows: int) -> list[Text]:
    """Show each worker: number, state, memory, and how late its loop is."""
    workers = scene.latest.workers
    restarts = scene.latest.restarts
    note: tuple[Part, ...] = ((f"{restarts} restarted", WARNING),) if restarts else ()
    lines = [make_heading(width, f"Workers {len(workers)}", scene.glyphs, note)]
    room = rows - 1 if len(workers) < rows else rows - 2
    for each in workers[: max(room, 0)]:
        state = _SHORT.get(each.state, each.state)
        style = PLAIN if state == "serves" else WARNING
        late = f"lag {format_duration(each.lag)}"
        lines.append(
            make_line(
                width,
                f"{each.pid:<8}",
                (crop(state, 10, scene.glyphs).ljust(10), style),
                f"{format_size(each.rss):>8} ",
                right=((late, WARNING if each.lag >= _LATE else DIM),),
            )
        )
    if len(workers) > max(room, 0):
        hidden = workers[max(room, 0) :]
        text = f"and {len(hidden)} more, {format_size(sum(each.rss for each in hidden))}"
        lines.append(make_line(width, (text, DIM)))
    return lines[:rows]


def show_busiest(scene: Scene, width: int, rows: int) -> list[Text]:
    """Show the paths that are asked for most."""
    return _show_paths(scene, width, rows, ("Busiest paths", scene.history.paths))


def show_slowest(scene: Scene, width: int, rows: int) -> list[Text]:
    """Show the paths that took longest, once at least."""
    paths = sorted(scene.history.paths, key=lambda each: -each.slowest)
    return _show_paths(scene, width, rows, ("Slowest paths", paths))


def show_errors(scene: Scene, width: int, rows: int) -> list[Text]:
    """Show the last errors: when, which, of what, and why."""
    lines = [make_heading(width, "Last errors", scene.glyphs)]
    for each in scene.latest.errors[: rows - 1]:
        room = width - len("00:00:00 500 ")
        text = f"{each.request}  {each.text}" if each.text else each.request
        status = (f"{each.status} ", STATUSES.get(f"{each.status // 100}xx", BOLD))
        lines.append(
            make_line(
                width, (format_clock(each.time) + " ", DIM), status, _crop_end(text, room, scene.glyphs)
            )
        )
    return lines if len(lines) > 1 else [*lines, make_line(width, ("none", DIM))][:rows]


def show_messages(scene: Scene, width: int, rows: int) -> list[Text]:
    """Show what the server has written last, the newest below."""
    lines = [make_heading(width, "Messages", scene.glyphs)]
    shown = scene.messages[-(rows - 1) :] if rows > 1 else ()
    return lines + [show_message(text, width, scene.glyphs) for text in shown]


def show_message(text: str, width: int, glyphs: Glyphs) -> Text:
    """Write one line of the server's: those that it dates itself have only the time of day."""
    found = _MESSAGE.fullmatch(text)
    if not found:
        return make_line(width, _crop_end(text, width, glyphs))
    clock, level, rest = found.groups()
    start: list[Part] = [(clock + " ", DIM)]
    if level != "INFO":
        start.append((level + " ", _LEVELS.get(level, BOLD)))
    return make_line(width, *start, _crop_end(rest, width - sum(len(part[0]) for part in start), glyphs))


def show_foot(scene: Scene, width: int) -> Text:
    """Say what the keys do, and what time it is."""
    clock: tuple[Part, ...] = ((format_clock(scene.latest.time), DIM),)
    return make_line(width, (scene.keys, DIM), right=clock if width >= _ROOMY else ())


def _show_paths(scene: Scene, width: int, rows: int, titled: tuple[str, Sequence[PathRates]]) -> list[Text]:
    title, paths = titled
    columns = "      /s    mean     max"
    lines = [make_heading(width, title, scene.glyphs, ((columns.lstrip(), DIM),))]
    room = width - len(columns) - 1
    for each in paths[: rows - 1]:
        name = crop(each.path, room, scene.glyphs)
        lines.append(
            make_line(
                width,
                name.ljust(room + 1),
                f"{format_number(each.requests):>8}",
                f"{format_duration(each.mean):>8}",
                (f"{format_duration(each.slowest):>8}", _slow_style(each.slowest)),
            )
        )
    return lines if len(lines) > 1 else [*lines, make_line(width, ("none yet", DIM))][:rows]


def _slow_style(seconds: float) -> Style:
    return WARNING if seconds >= _SLOW else PLAIN


def _crop_end(text: str, room: int, glyphs: Glyphs) -> str:
    whole = crop(text, 10_000, glyphs)
    return whole if len(whole) <= room else whole[: max(room - len(glyphs.cut), 0)] + glyphs.cut
