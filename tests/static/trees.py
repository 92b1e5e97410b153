"""A folder with something of everything in it, and what the tests of the lookup ask of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aioserve.static.lookup import Found

if TYPE_CHECKING:
    from pathlib import Path

CANARY = b"not for you"
INDEX = ("index.html", "index.txt")


def build(base: Path) -> Path:
    """Make a root with something of everything in it, and a canary beside it."""
    outside = base / "outside"
    outside.mkdir()
    for name in ("file.txt", "index.html", "root.txt"):
        (outside / name).write_bytes(CANARY)
    root = base / "root"
    for name in (
        "folder/inner",
        "empty",
        "texts",
        ".hidden",
        ".well-known",
        "index-folder/index.html",
        "new\nline",
    ):
        (root / name).mkdir(parents=True)
    for name in (
        "file.txt",
        "index.html",
        "two words.txt",
        "percent%2e.txt",
        "semi;colon",
        ".env",
        "folder/file.txt",
        "folder/index.html",
        "folder/.secret",
        "folder/inner/file.txt",
        "texts/index.txt",
        ".hidden/file.txt",
        ".well-known/token",
        ".well-known/.secret",
    ):
        (root / name).write_text(name)
    (root / "link-to-file").symlink_to("file.txt")
    (root / "link-to-folder").symlink_to("folder")
    (root / "link-out").symlink_to(outside)
    (root / "link-to-canary").symlink_to(outside / "file.txt")
    (root / "link-up").symlink_to("..")
    (root / "loop").symlink_to("loop")
    (root / "dangling").symlink_to("nowhere")
    (root / "empty/index.html").symlink_to(outside / "index.html")
    os.mkfifo(root / "fifo")
    os.mkfifo(root / "fifo.html")
    return root


def count_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are all that is wanted


def content(outcome) -> bytes:
    assert isinstance(outcome, Found)
    with outcome.file:
        return outcome.file.read()
