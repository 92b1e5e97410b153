"""A site of a few files, and what the tests of the responder ask of it."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, NamedTuple

import pytest

from aioserve.errors import HttpProcessingError
from aioserve.http.messages import Answer, HttpVersion11, RequestMessage
from aioserve.static.responder import StaticFiles
from aioserve.static.settings import Static
from tests.static.files import bytes_of

if TYPE_CHECKING:
    from pathlib import Path

CHANGED = 1_700_000_000  # when all files were
NOW = CHANGED + 3600
LARGE = bytes(range(256)) * 1024  # more than is read at once, and of no type that is compressed
TEXT = b"It is compressed at once. " * 50
LONG = b"It is compressed by a thread. " * 3000
HUGE = b"It is compressed by a thread, and not kept in memory. " * 5000
ALLOWED = "GET, HEAD, OPTIONS"


def build(base: Path) -> Path:
    """Make a site, and beside it what nobody may see."""
    root = base / "site"
    for name in ("folder", "bare", "two words"):
        (root / name).mkdir(parents=True)
    for name, content in {
        "index.html": b"the root",
        "file.txt": b"0123456789",
        "empty.txt": b"",
        "large.bin": LARGE,
        "text.txt": TEXT,
        "long.txt": LONG,
        "huge.txt": HUGE,
        "folder/index.html": b"the folder",
        "two words/index.html": b"two words",
    }.items():
        (root / name).write_bytes(content)
    for path in (root, *root.rglob("*")):  # also folders: whatever is changed in one shows by its time
        os.utime(path, (CHANGED, CHANGED))
    (base / "canary").write_bytes(b"not for you")
    return root


class Serving:
    """Makes responders of a site; `close` leaves none of its files open."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made: list[StaticFiles] = []

    def __call__(self, *, mount="/", alone=True, clock=lambda: NOW + 0.5, **settings) -> StaticFiles:
        static = StaticFiles(self._root, mount=mount, settings=Static(**settings), alone=alone, clock=clock)
        self._made.append(static)
        return static

    def close(self) -> None:
        for each in self._made:
            each.store.close()


class Entry(NamedTuple):
    """An entry of a folder, with names for its values."""

    name: str
    is_folder: bool
    size: int
    modified: float


class Reply(NamedTuple):
    """An answer as its client sees it."""

    status: int
    body: bytes
    fields: dict[str, str]


def request(method: str, target: str, *fields: str) -> RequestMessage:
    """Make the head of a request, whatever its target."""
    section = "".join(f"{field}\r\n" for field in ("Host: a", *fields)).encode()
    return RequestMessage(method, target, HttpVersion11, section, b"\n" + section.lower())


def read(answer: Answer) -> Reply:
    """Read an answer to its end."""
    fields = dict(answer.headers)
    assert len(fields) == len(answer.headers)
    return Reply(answer.status, bytes_of(answer.body), fields)


def ask(static: StaticFiles, method: str, target: str, *fields: str) -> Reply:
    """Ask for what is answered at once."""
    answer = static(request(method, target, *fields))
    assert isinstance(answer, Answer)
    return read(answer)


def ask_later(static: StaticFiles, method: str, target: str, *fields: str) -> Reply:
    """Ask for what a thread has to work for."""

    async def wait():
        later = static(request(method, target, *fields))
        assert not isinstance(later, Answer)
        return read(await later)

    return asyncio.run(wait())


def refusal(static: StaticFiles, method: str, target: str, *fields: str) -> HttpProcessingError:
    """Ask for what is refused at once."""
    with pytest.raises(HttpProcessingError) as raised:
        static(request(method, target, *fields))
    return raised.value
