"""Draws the pictures of docs/see.md: what a terminal shows, as SVG.

``python docs/pictures.py`` writes them to docs/pictures/. What they show is made of fixed data by the same
code that draws on a terminal, so that they are the same each time.
"""

from __future__ import annotations

import io
import linecache
import logging
import math
import os
import random
import re
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from aioserve.http.messages import HttpVersion11, RequestMessage  # noqa: E402 - this checkout's
from aioserve.live.lines import UNICODE  # noqa: E402
from aioserve.live.panels import Scene  # noqa: E402
from aioserve.live.picture import draw_picture  # noqa: E402
from aioserve.live.rates import History  # noqa: E402
from aioserve.observe.access import AccessRecord  # noqa: E402
from aioserve.observe.console import Screen, ScreenFormatter  # noqa: E402
from aioserve.observe.snapshot import (  # noqa: E402
    DURATION_BOUNDS,
    METHODS,
    STATUS_CLASSES,
    ErrorSnapshot,
    PathSnapshot,
    Snapshot,
    WorkerSnapshot,
)
from aioserve.observe.streams import Output  # noqa: E402

BEGIN = 1_796_040_000.0  # 30 November 2026, 12:00 UTC

APP = """\
import aioserve

ORDERS = {"17": {"total": 42}}


class Handler(aioserve.ServerHttpProtocol):
    async def handle_request(self, message, payload):
        order = ORDERS[message.query["order"]]
        self.writer.write_response(200, f"{order['customer']} owes {order['total']}\\n")
"""


def draw(renderable, title, width):
    """Make a picture of what rich can show."""
    console = Console(
        width=width, record=True, file=io.StringIO(), force_terminal=True, color_system="standard"
    )
    console.print(renderable)
    # Without the fonts that it would load from elsewhere: any of fixed width does.
    return re.sub(
        r"@font-face \{.*?\}\n", "", console.export_svg(title=title, unique_id="aioserve"), flags=re.DOTALL
    )


def screen():
    """Return what lays out lines for a person."""
    return Screen(Output(io.StringIO(), "always", {}))


def draw_start():
    """Draw the lines of the start, and requests."""
    shown = screen()
    requests = (
        ("GET", "/", 200, 1_532, 0.0004),
        ("GET", "/app.3f2a9c1d.js", 200, 84_120, 0.0011),
        ("GET", "/favicon.ico", 304, 0, 0.0003),
        ("POST", "/api/orders?customer=17", 201, 96, 0.0182),
        ("GET", "/wp-login.php", 404, 380, 0.0003),
        ("GET", "/api/report", 200, 18_400, 1.42),
        ("GET", "/api/orders?order=18", 500, 212, 0.0021),
    )
    lines = [shown.format_start(["http://127.0.0.1:8080"], ["./site at /", "app:Handler"]).rstrip("\n")]
    for second, (method, path, status, size, duration) in enumerate(requests):
        message = RequestMessage(method, path, HttpVersion11, b"", b"")
        lines.append(
            shown.format_request(AccessRecord(message, None, status, size, size, BEGIN + second, duration))
        )
    return draw(Text.from_ansi("\n".join(lines)), "aioserve --static ./site app:Handler", 100)


def draw_error():
    """Draw the traceback of a handler's exception."""
    linecache.cache["/srv/shop/app.py"] = (len(APP), None, APP.splitlines(keepends=True), "/srv/shop/app.py")
    names = {}
    exec(compile(APP, "/srv/shop/app.py", "exec"), names)  # noqa: S102 - the text above
    record = logging.LogRecord(
        "aioserve", logging.ERROR, "", 0, "Error handling request GET /?order=18", None, None
    )
    record.created = BEGIN + 7
    message = RequestMessage("GET", "/?order=18", HttpVersion11, b"", b"")
    try:
        names["Handler"]().handle_request(message, None).send(None)
    except KeyError as error:
        frames = error.__traceback__
        while frames.tb_frame.f_code.co_filename != "/srv/shop/app.py":
            frames = frames.tb_next
        error.__traceback__ = frames
        record.exc_info = (KeyError, error, frames)
    text = ScreenFormatter(screen(), debug=True).format(record)
    return draw(Text.from_ansi(text), "aioserve --debug app:Handler", 100)


def tell_story(seconds):
    """Return the history of a server that is busy for some minutes."""
    chance, history = random.Random(11), History()  # noqa: S311 - a picture
    statuses, durations, size, total = [0] * len(STATUS_CLASSES), [0] * (len(DURATION_BOUNDS) + 1), 0, 0
    shares = {
        "/": 0.31,
        "/app.3f2a9c1d.js": 0.24,
        "/api/orders": 0.17,
        "/api/report": 0.002,
        "/favicon.ico": 0.09,
    }
    slowest = {
        "/": 0.009,
        "/app.3f2a9c1d.js": 0.018,
        "/api/orders": 0.477,
        "/api/report": 1.42,
        "/favicon.ico": 0.004,
    }
    means = {
        "/": 0.0004,
        "/app.3f2a9c1d.js": 0.0011,
        "/api/orders": 0.0182,
        "/api/report": 0.9,
        "/favicon.ico": 0.0003,
    }
    for second in range(seconds):
        count = int(700 + 350 * math.sin(second / 23) + 120 * math.sin(second / 5) + chance.random() * 90)
        total += count
        for index, share in enumerate((0, 0.951, 0.032, 0.014, 0.003)):
            statuses[index] += round(count * share)
        for _ in range(100):
            durations[min(max(int(chance.gauss(3.2, 1.7)), 0), 13)] += count // 100
        durations[14] += second % 3 == 0
        size += count * 4_870
        history.add(
            Snapshot(
                time=BEGIN + second,
                started=BEGIN - 11_300,
                version="0.1.0",
                addresses=("http://127.0.0.1:8080",),
                served=("./site at /", "app:Handler"),
                requests=tuple(tuple(statuses) if each == "GET" else (0,) * 5 for each in METHODS),
                durations=tuple(durations),
                slowest=1.42,
                size_sum=size,
                connections=(118, 3, 9, 1),
                refused={"400": 12},
                workers=(
                    WorkerSnapshot(41230, "serves", rss=48_300_000, lag=0.0012),
                    WorkerSnapshot(41231, "serves", rss=51_200_000, lag=0.0009),
                ),
                paths=tuple(
                    PathSnapshot(path, int(total * share), total * share * means[path], slowest[path])
                    for path, share in shares.items()
                ),
                errors=(
                    ErrorSnapshot(BEGIN + 121, 500, "GET /api/orders", "KeyError: 'customer'"),
                    ErrorSnapshot(BEGIN + 64, 503, "POST /api/pay"),
                ),
            )
        )
    return history


def draw_live():
    """Draw the live view."""
    history = tell_story(220)
    messages = (
        "2026-11-30T09:51:40+0000 INFO listening on http://127.0.0.1:8080",
        "2026-11-30T12:01:02+0000 INFO reloaded",
    )
    scene = Scene(history, history.latest, messages, "q or Ctrl+C stops the server", UNICODE)
    return draw(draw_picture(scene, 100, 30), "aioserve --live --static ./site app:Handler", 100)


PICTURES = {"start": draw_start, "error": draw_error, "live": draw_live}


def main(folder=ROOT / "docs" / "pictures"):
    """Write them all."""
    os.environ["TZ"] = "UTC"
    time.tzset()
    folder.mkdir(exist_ok=True)
    for name, make in PICTURES.items():
        (folder / f"{name}.svg").write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
