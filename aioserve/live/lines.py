"""What the lines of a picture are made of.

This file decides colours, characters and the form of numbers. Colours are the sixteen of the terminal's own
palette, as they suit a light ground as well as a dark one, and nothing is told by a colour alone. Foreign
text has been escaped by who collected it, and is once more, since a view believes nobody.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from rich.text import Text

from aioserve.escaping import escape_controls
from aioserve.live.sparkline import ASCII, BLOCKS

PLAIN = Style.null()
DIM = Style(dim=True)
BOLD = Style(bold=True)
ACCENT = Style(color="cyan")
ADDRESS = Style(color="cyan", bold=True)
WARNING = Style(color="yellow")
ALARM = Style(color="red", bold=True)

# Blue, nothing, yellow and a bold red: those who see no difference between red and green see these.
STATUSES = {"1xx": DIM, "2xx": ACCENT, "3xx": PLAIN, "4xx": WARNING, "5xx": ALARM}

Part = str | tuple[str, Style]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Characters that a terminal has or has not.

    Attributes:
        columns: from empty to full, for columns.
        full: a cell of a bar.
        bar: from empty to nearly full, for its end.
        rule: a line.
        mark: a spot.
        cut: stands for what has no room.
    """

    columns: str
    full: str
    bar: str
    rule: str
    mark: str
    cut: str


UNICODE = Glyphs(BLOCKS, "█", " ▏▎▍▌▋▊▉", "─", "●", "…")
PLAIN_ASCII = Glyphs(ASCII, "#", " ", "-", "*", "...")


def glyphs_for(encoding: str) -> Glyphs:
    """Choose the characters that an encoding has."""
    try:
        (BLOCKS + UNICODE.bar + UNICODE.full + UNICODE.rule + UNICODE.mark + UNICODE.cut).encode(encoding)
    except (UnicodeError, LookupError):
        return PLAIN_ASCII
    return UNICODE


def crop(text: str, room: int, glyphs: Glyphs) -> str:
    """Escape and shorten in the middle: both how a path begins and the name it ends in say what it is."""
    text = escape_controls(text).replace("\n", " ").replace("\t", " ")
    if len(text) <= room:
        return text
    room = max(room - len(glyphs.cut), 0)
    return (text[: room - room // 2] + glyphs.cut + text[len(text) - room // 2 :])[: room + len(glyphs.cut)]


def make_line(width: int, *parts: Part, right: tuple[Part, ...] = ()) -> Text:
    """Put parts side by side into exactly so many cells; what stands right goes first where room is short."""
    tail = _assemble(right)
    if tail.cell_len > width - 2:
        tail = _assemble(())
    left = _assemble(parts)
    room = width - (tail.cell_len + 1 if tail else 0)
    left.truncate(max(room, 0), overflow="crop", pad=True)
    left.append(" " if tail else "")
    left.append_text(tail)
    return left


def make_heading(width: int, title: str, glyphs: Glyphs, note: tuple[Part, ...] = ()) -> Text:
    """Write a title, and a rule from it to the right edge, or to a note there."""
    tail = _assemble(note)
    room = width - len(title) - 1 - (tail.cell_len + 1 if tail else 0)
    if room < 1:
        return make_line(width, (title, BOLD))
    return make_line(width, (title, BOLD), " ", (glyphs.rule * room, DIM), right=note)


def side_by_side(blocks: list[tuple[int, list[Text]]], gap: int = 3) -> list[Text]:
    """Put blocks of lines beside one another; the shorter ones are filled up.

    Args:
        blocks: of each its width and its lines.
        gap: cells between two of them.
    """
    height = max(len(lines) for _, lines in blocks)
    rows = []
    for index in range(height):
        row = _assemble(())
        for number, (width, lines) in enumerate(blocks):
            row.append(" " * gap if number else "")
            row.append_text(lines[index] if index < len(lines) else make_line(width))
        rows.append(row)
    return rows


def format_number(value: float) -> str:
    """Write a number for the eye: ``0``, ``0.4``, ``12``, ``1,234``, ``1.23M``."""
    if value >= 999_999.5:
        return f"{value / 1_000_000:.2f}M"
    return f"{value:,.0f}" if value >= 9.95 or not value else f"{value:.1f}"


def format_span(seconds: float) -> str:
    """Write a long time: ``45s``, ``12m 04s``, ``3h 12m``, ``5d 03h``."""
    whole = max(int(seconds), 0)
    for unit, smaller, size, part in (("d", "h", 86_400, 3_600), ("h", "m", 3_600, 60), ("m", "s", 60, 1)):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // part:02}{smaller}"
    return f"{whole}s"


def _assemble(parts: tuple[Part, ...]) -> Text:
    text = Text(no_wrap=True)
    for part in parts:
        if isinstance(part, str):
            text.append(part)
        else:
            text.append(*part)
    return text
